# No key, signal, paste or scan leaves a kiosk; what a scanner or a paste brings is
# never a key.
screen attract
cannot quit
press ctrl+c ctrl+c ctrl+d ctrl+z f3 f7 f8 f11 f12
screen attract
paste "\x1b[21~9y"
screen attract
scan "till://sale/0193b1a0-0000-7000-8000-000000000001"
screen register
cannot quit
cannot sales
cannot devices
signal INT
signal QUIT
signal TSTP
signal HUP
signal USR1
signal USR2
signal PIPE
signal ALRM
signal TTIN
signal TTOU
signal CONT
screen register
do back
screen attract
