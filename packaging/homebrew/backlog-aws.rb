# Template: packaging/fill-templates puts in where releases are, the version and the checksum.
class BacklogAws < Formula
  desc "AWS profile of the Backlog Toolkit, apart from Claude Code's"
  homepage "@REPOSITORY@"
  url "@REPOSITORY@/archive/refs/tags/v@VERSION@.tar.gz"
  sha256 "@SHA256@"
  license "MIT"
  head "@REPOSITORY@.git", branch: "main"

  depends_on "rust" => :build

  def install
    system "cargo", "install", *std_cargo_args
    man1.install Dir["man/*.1"]
    bash_completion.install "completions/backlog-aws.bash" => "backlog-aws"
    zsh_completion.install "completions/_backlog-aws"
    fish_completion.install "completions/backlog-aws.fish"
  end

  def caveats
    <<~EOS
      Load it into your shell:
        bash  eval "$(backlog-aws init bash)"   in ~/.bashrc
        zsh   eval "$(backlog-aws init zsh)"    in ~/.zshrc
        fish  backlog-aws init fish | source    in ~/.config/fish/config.fish
    EOS
  end

  test do
    (testpath/".aws/credentials").write <<~EOS
      [bedrock]
      aws_access_key_id = AKIAIOSFODNN7EXAMPLE
      aws_secret_access_key = secret
    EOS
    assert_equal "bedrock\n", shell_output("#{bin}/backlog-aws list --names --usable")
    assert_match "backlog_aws", shell_output("#{bin}/backlog-aws init bash")
  end
end
