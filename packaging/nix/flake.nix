# nix profile install 'github:backlog-aws/backlog-aws?dir=packaging/nix'
{
  description = "AWS profile of the Backlog Toolkit, apart from Claude Code's";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs = { self, nixpkgs }:
    let
      systems = [ "x86_64-linux" "aarch64-linux" "x86_64-darwin" "aarch64-darwin" ];
      forAllSystems = f: nixpkgs.lib.genAttrs systems (system: f nixpkgs.legacyPackages.${system});
      # The whole repository, of which this directory is a part.
      source = self.sourceInfo.outPath;
      cargo = nixpkgs.lib.importTOML "${source}/Cargo.toml";
    in
    {
      packages = forAllSystems (pkgs: {
        default = pkgs.rustPlatform.buildRustPackage {
          pname = cargo.package.name;
          version = cargo.package.version;
          src = source;
          cargoLock.lockFile = "${source}/Cargo.lock";
          nativeBuildInputs = [ pkgs.installShellFiles ];
          # The scenarios need zsh, fish and a network of their own; ./tests/run has them.
          cargoTestFlags = [ "--lib" ];
          postInstall = ''
            installManPage man/*.1
            installShellCompletion --bash --name backlog-aws completions/backlog-aws.bash
            installShellCompletion --zsh completions/_backlog-aws
            installShellCompletion --fish completions/backlog-aws.fish
          '';
          meta = {
            description = cargo.package.description;
            license = nixpkgs.lib.licenses.mit;
            mainProgram = "backlog-aws";
          };
        };
      });
    };
}
