# The customer chooses the language; the next one finds the shop's.
see "Start"
press right
not "Start"
press enter
screen register
not "What would you like"
do back
screen attract
see "Start"
