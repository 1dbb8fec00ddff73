"""What a real installation needs beside the program: its environment files, its units for systemd, how
gunicorn serves it. gatekeeper/installation/README.md, 'A real installation', leads through it."""
