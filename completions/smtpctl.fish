# fish completion for smtpctl: put this file into ~/.config/fish/completions/

function __smtpctl_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l answer ($words[1] __complete $words[2..] "$current" 2>/dev/null)
    test (count $answer) -gt 0; or return
    set -l paths $answer[-1]
    set -e answer[-1]
    test (count $answer) -gt 0; and printf '%s\n' $answer
    switch $paths
        case ':files'
            __fish_complete_path (string replace -r '^--[^=]*=' '' -- $current)
        case ':dirs'
            __fish_complete_directories (string replace -r '^--[^=]*=' '' -- $current)
    end
end

complete -c smtpctl -f -k -a '(__smtpctl_complete)'
complete -c smtp-ctl -f -k -a '(__smtpctl_complete)'
