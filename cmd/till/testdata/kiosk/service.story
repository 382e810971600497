# The staff's menu is behind a PIN that slows down and locks.
do settings
type "1111"
press enter
see /wrong PIN/i
cannot confirm because /next try/
clock +3s
type "2222"
press enter
screen service
see "devices" in body
do devices
screen devices
do back
screen service
do back
screen attract
do settings
type "0000\n"
clock +20s
type "0001\n"
clock +20s
type "0002\n"
clock +20s
type "0003\n"
clock +20s
type "0004\n"
see /locked until/i
cannot settings because /locked/
pull power
plug power
screen attract
cannot settings because /locked/
