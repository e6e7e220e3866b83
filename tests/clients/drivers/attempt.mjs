// What the two JavaScript clients share.
export const MODEL = "anthropic.claude-3-haiku-20240307-v1:0";

export const invokeBody = {
  anthropic_version: "bedrock-2023-05-31",
  max_tokens: 9,
  messages: [{ role: "user", content: "hello" }],
};

/** Runs one call; a failure is an answer that the test compares, so it must not hide the calls after it. */
export async function attempt(operation, call) {
  try {
    await call();
  } catch (error) {
    process.exitCode = 1;
    console.error(`${operation}: ${error.name}: ${error.message}`);
  }
}
