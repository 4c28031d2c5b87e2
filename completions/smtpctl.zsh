#compdef smtpctl smtp-ctl
# zsh completion for smtpctl: put this file as _smtpctl into a folder of $fpath, or source it after compinit

_smtpctl() {
    local -a answer values described
    local line value help paths
    answer=("${(@f)$("${words[1]}" __complete "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
    paths=$answer[-1]
    answer[-1]=()
    for line in $answer; do
        value=${line%%$'\t'*}
        help=''
        [[ $line == *$'\t'* ]] && help=${line#*$'\t'}
        described+=("${value//:/\\:}${help:+:$help}")
    done
    (( $#described )) && _describe -V smtpctl described
    case $paths in
        :files) compset -P '*='; _files ;;
        :dirs) compset -P '*='; _files -/ ;;
    esac
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _smtpctl "$@"
else
    compdef _smtpctl smtpctl smtp-ctl
fi
