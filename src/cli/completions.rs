//! `ckad-grade completions SHELL`: a script that completes commands, options and tasks.
use clap_complete::Shell;

use super::{Exit, Failure, Session, help};

const BASH: &str = r#"_ckad_grade() {
    local IFS=$'\n'
    COMPREPLY=($("$1" complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f1))
}
complete -o default -F _ckad_grade ckad-grade
"#;

const ZSH: &str = r#"#compdef ckad-grade
_ckad-grade() {
    local -a found
    found=("${(@f)$("${words[1]}" complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    if [[ -n "${found[1]}" ]]; then
        found=("${(@)found//:/\\:}")
        found=("${(@)found/$'\t'/:}")
        _describe ckad-grade found
    else
        _files
    fi
}
if [ "$funcstack[1]" = "_ckad-grade" ]; then
    _ckad-grade "$@"
else
    compdef _ckad-grade ckad-grade
fi
"#;

const FISH: &str = r#"function __ckad_grade_complete
    set -l words (commandline -opc)
    $words[1] complete -- $words[2..-1] (commandline -ct) 2>/dev/null
    or __fish_complete_path (commandline -ct)
end
complete -c ckad-grade -f -a '(__ckad_grade_complete)'
"#;

pub(super) fn run(session: &mut Session<'_>, shell: Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    match shell {
        Shell::Bash => script.extend_from_slice(BASH.as_bytes()),
        Shell::Zsh => script.extend_from_slice(ZSH.as_bytes()),
        Shell::Fish => script.extend_from_slice(FISH.as_bytes()),
        // these know the commands and options, not the tasks
        shell => clap_complete::generate(shell, &mut help::command(session.lang), "ckad-grade", &mut script),
    }
    session.out.write_all(&script)?;
    Ok(Exit::Success)
}
