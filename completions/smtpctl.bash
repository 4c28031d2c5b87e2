# bash completion for smtpctl: source this file, or put it into ~/.local/share/bash-completion/completions/smtpctl

_smtpctl() {
    local words=() current='' word prefix line index
    # bash splits words at : and =, which hosts, URLs and --option=value contain: put them together again.
    for ((index = 1; index <= COMP_CWORD; index++)); do
        word=${COMP_WORDS[index]}
        if ((${#words[@]})) && [[ $word == [:=]* || ${words[-1]} == *[:=] ]]; then
            words[-1]+=$word
        else
            words+=("$word")
        fi
    done
    current=${words[-1]}
    for index in "${!words[@]}"; do
        word=${words[index]#[\"\']}
        words[index]=${word%[\"\']}
    done

    COMPREPLY=()
    local answer=()
    mapfile -t answer < <("${COMP_WORDS[0]}" __complete "${words[@]}" 2>/dev/null)
    ((${#answer[@]})) || return 0
    local paths=${answer[-1]}
    unset 'answer[-1]'

    prefix=${current%"${current##*[:=]}"}
    for line in "${answer[@]}"; do
        line=${line%%$'\t'*}
        printf -v line '%q' "${line#"$prefix"}"
        COMPREPLY+=("$line")
    done
    current=${current#"$prefix"}
    case $paths in
        :files) compopt -o filenames; mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$current") ;;
        :dirs) compopt -o filenames; mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "$current") ;;
    esac
}

complete -F _smtpctl smtpctl smtp-ctl
