// The AWS SDK for JavaScript with its default credential chain.
import { BedrockRuntimeClient, ConverseCommand, InvokeModelCommand } from "@aws-sdk/client-bedrock-runtime";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { attempt, invokeBody, MODEL } from "./attempt.mjs";

// The loopback server speaks HTTP/1.1; the client's own default for Bedrock is HTTP/2.
const bedrock = () => new BedrockRuntimeClient({ requestHandler: new NodeHttpHandler() });

await attempt("converse", () =>
  bedrock().send(
    new ConverseCommand({ modelId: MODEL, messages: [{ role: "user", content: [{ text: "hello" }] }] }),
  ),
);
await attempt("invoke", () =>
  bedrock().send(new InvokeModelCommand({ modelId: MODEL, body: JSON.stringify(invokeBody) })),
);
await attempt("sts", () => new STSClient().send(new GetCallerIdentityCommand()));
