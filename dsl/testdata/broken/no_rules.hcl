policy "p" { # ERROR: No priority that always matches # ERROR: Policy without rules
}
