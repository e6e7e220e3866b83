# For zinit, antidote, oh-my-zsh and other managers of zsh plugins. The program itself must be on PATH by the first prompt.
\builtin source "${${(%):-%x}:A:h}/shell/backlog-aws.zsh"
