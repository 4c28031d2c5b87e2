# PowerShell completion for smtpctl: dot-source this file in your $PROFILE

Register-ArgumentCompleter -Native -CommandName smtpctl, smtp-ctl -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -le $cursorPosition } |
        ForEach-Object { $_.Extent.Text.Trim('"', "'") })
    $program = $words[0]
    $rest = @($words | Select-Object -Skip 1)
    if ($wordToComplete -eq '') { $rest += '""' }
    $answer = @(& $program __complete @rest 2>$null)
    if ($answer.Count -eq 0) { return }
    foreach ($line in $answer[0..($answer.Count - 1)]) {
        if ($line.StartsWith(':')) { continue }
        $value, $help = $line -split "`t", 2
        if (-not $help) { $help = $value }
        [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $help)
    }
}
