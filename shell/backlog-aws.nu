# backlog-aws in nushell. Load it with this line at the end of config.nu:
#
#   mkdir $nu.user-autoload-dirs.0; backlog-aws init nu | save -f $"($nu.user-autoload-dirs.0)/backlog-aws.nu"
#
# nushell cannot evaluate text, so this is a file that it reads after config.nu. The file in the repository can also be
# sourced as it is; the program is then looked up on PATH.
#
# Only `use` and `doctor` are commands of nushell. All else stays the program itself: what goes through a command of
# nushell loses wildcards, `~` and quotes.

module backlog-aws-hook {
  const settings = {
    bin: backlog-aws, mode: prompt, version: "", completions: lazy # settings
  }
  const ours = [BACKLOG_AWS_PROFILE BACKLOG_AWS_REGION BACKLOG_AWS_SOURCE __BACKLOG_AWS_STATE]

  # Takes in an answer of the program: a record of our variables, null where they are to be unset, and of what
  # `unchanged` compares. It is kept in an environment variable that child processes do not get, as it is no text.
  def --env apply [answer: string] {
    let answer = $"{($answer)}" | from nuon
    for name in $ours {
      if $name not-in $answer { continue }
      let value = $answer | get $name
      if $value == null { hide-env --ignore-errors $name } else { load-env {$name: $value} }
    }
    $env.__backlog_aws = $env.__backlog_aws | merge ($answer | reject --optional ...$ours)
  }

  # Before each prompt: asks the program when something changed that its answer rests on.
  def --env hook [] {
    if ($env.__backlog_aws.left? | default false) { return }
    # In a directory that was deleted, everything in nushell fails. What is exported stays then.
    try { arrive }
    if (try { unchanged } catch { false }) { return }
    let precision = if $settings.mode == cd { "nothing" } else { "modification-time" }
    # The program is gone for a moment during upgrades, which is no reason for noise.
    apply (try { ^$settings.bin hook nu $env.__backlog_aws.session $precision 3 } catch { "" })
  }

  # Keeps the way from the working directory up, links resolved, because it takes longer than to look.
  def --env arrive [] {
    mut way = [($env.PWD | path expand)]
    if $way.0 == $env.__backlog_aws.way?.0? { return }
    while ($way | last) != / { $way = $way | append ($way | last | path dirname) }
    let way = $way
    let overrides = $way | each { path join .backlog-aws }
    $env.__backlog_aws = $env.__backlog_aws | merge {way: $way, overrides: $overrides}
  }

  # Whether nothing changed, by builtins alone:
  #
  # - AWS's variables and ours have the values that the program expects, and keys are as present as they were.
  # - Files have the times that they had, what was missing is missing, and links lead to where they led.
  # - On the way up, there are the overrides that the program passed over, and no others.
  # - The nearest directory with a rule in the user's own configuration is the same.
  def unchanged [] {
    let was = $env.__backlog_aws
    let aws = $"($env.AWS_PROFILE?)^($env.AWS_SHARED_CREDENTIALS_FILE?)^($env.AWS_CONFIG_FILE?)^($env.HOME?)"
    let ours = $env.BACKLOG_AWS_PROFILE? | default ^
    let ours = $"($ours)^($env.BACKLOG_AWS_REGION? | default ^)^($env.BACKLOG_AWS_SOURCE? | default ^)"
    let places = $"($env.XDG_DATA_HOME?)^($env.XDG_CONFIG_HOME?)^($env.BACKLOG_AWS_CONFIG?)"
    if $aws != $was.expected_aws? or $ours != $was.expected_ours or $places != $was.expected_places { return false }
    if (keys) != $was.expected_keys or true in ($was.missing | path exists) { return false }
    let now = (date now | into int) // 1_000_000_000
    if $was.until != "" and ($now >= ($was.until | into int) or $now < ($was.since | into int)) { return false }
    if $was.files != [] {
      let times = try { ls --directory ...$was.files | get modified | into int | str join "," } catch { "" }
      if $times != $was.times { return false }
    }
    for link in ($was.links | chunks 2) {
      if ($link.0 | path expand) != $link.1 { return false }
    }
    if $was.rules != [] {
      let rules = $was.rules | path expand
      let rule = $was.way | where $it in $rules | get --optional 0
      if $rule != (if $was.rule != "" { $was.rule | path expand }) { return false }
    }
    let below = $was.way | take until {|directory| $directory == $was.top }
    if $below == $was.way { return false }
    let there = $was.overrides | take ($below | length) | path exists
    if $was.ignored == [] { return (true not-in $there) }
    ($below | zip $there | where $it.1 | each { first }) == $was.ignored
  }

  # Which keys there are, and what matters beside them.
  def keys [] {
    let keys = [
      (mark i $env.AWS_ACCESS_KEY_ID?) (mark s $env.AWS_SECRET_ACCESS_KEY?) (mark b $env.AWS_BEARER_TOKEN_BEDROCK?)
    ] | str join
    if $keys == "" { return "" }
    let token = mark t $env.AWS_SESSION_TOKEN?
    $"($keys)^($token)^($env.AWS_CREDENTIAL_EXPIRATION?)^($env.AWS_REGION?)^($env.AWS_DEFAULT_REGION?)"
  }

  def mark [mark: string, value?: any] {
    if ($value | is-empty) { "" } else { $mark }
  }

  # Pins a profile or region for this shell; see `backlog-aws help use`.
  @complete external
  export def --env --wrapped "backlog-aws use" [...words: string] {
    # What is in quotes after `=` arrives with its quotes.
    let words = $words | str replace --regex '^(--[a-z]+=)["''`](.*)["''`]$' '$1$2'
    let answer = ^$settings.bin use --shell nu --session $env.__backlog_aws.session ...$words
    apply $answer
    print --no-newline ($env.__backlog_aws.text? | default "")
    $env.__backlog_aws.text = ""
  }

  # Checks the setup; see `backlog-aws help doctor`.
  @complete external
  export def --wrapped "backlog-aws doctor" [...words: string] {
    # What this script was told, and whether the hook is still there, cannot be seen from outside.
    let hooks = [$env.config.hooks.pre_prompt? $env.config.hooks.env_change.PWD?] | describe
    let hooks = if $hooks =~ __backlog_aws { "__backlog_aws_hook" } else { "" }
    let facts = $settings | rename --column {bin: program} | merge {
      shell: nu, session: $env.__backlog_aws.session, hooks: $hooks
    } | transpose name value | each {|fact| $"--fact=($fact.name)=($fact.value)" }
    ^$settings.bin doctor ...$facts ...$words
  }

  # What can follow, as the program says; null leaves it to nushell.
  def suggestions [spans: list<string>] {
    # The first is `backlog-aws use` where that is a command.
    let words = ($spans.0 | split row " ") ++ ($spans | skip 1 | str replace --all --regex '["''`]' "")
    let answer = try { ^$settings.bin complete nu (($words | length) - 1) -- ...$words | lines } catch { [] }
    match ($answer.0? | default "" | split row " ") {
      ["words"] => ($answer | skip 1 | split column "\t" value description | update value { quoted $in })
      ["command" $at] => {
        let line = $spans | skip ($at | into int) | str join " "
        let found = $line | commandline complete --detailed
        $found | where {|it| $it.kind? != command or $it.type == external } | reject span
      }
      _ => null
    }
  }

  def quoted [word: string] {
    if $word =~ '^[\w./@%+=:,-]+$' { $word } else { $word | to nuon }
  }

  # The hooks of a kind that are not ours; it may be one, a list or nothing.
  def others [hooks?: any] {
    [] | append $hooks | compact | where {|hook| ($hook | describe) !~ __backlog_aws }
  }

  # Hooks and a completer that are there already stay. This may run again in the same shell.
  export-env {
    let is_new = $env.__backlog_aws? == null
    if $is_new { $env.__backlog_aws = {session: $"($nu.pid).(random int 0..32767)"} }
    $env.config.hooks.pre_prompt = others $env.config.hooks.pre_prompt?
    $env.config.hooks.env_change = $env.config.hooks.env_change? | default {}
    $env.config.hooks.env_change.PWD = others $env.config.hooks.env_change.PWD?
    let ours = {__backlog_aws: true, code: {|| hook }}
    match $settings.mode {
      prompt => { $env.config.hooks.pre_prompt ++= [$ours] }
      cd => { $env.config.hooks.env_change.PWD ++= [$ours] }
    }
    if $is_new and $settings.completions != "" {
      let other = $env.config.completions.external.completer?
      $env.config.completions.external.completer = {|spans|
        if $spans.0 =~ '^backlog-aws( |$)' { suggestions $spans } else if $other != null { do $other $spans }
      }
    }
  }
}
use backlog-aws-hook *
