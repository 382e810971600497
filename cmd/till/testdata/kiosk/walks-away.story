# A customer walks away from the goods, then from the code; what comes later is
# owed. The kiosk begins again each time, with nothing left behind.
press enter
add "Espresso"
clock +55s
see /still there/i
clock +10s
screen attract
press enter
screen register
see "nothing yet"
ring 5
do pay
do tender.bitcoin
qr /^bitcoin:/i as uri
clock +70s
screen pay
clock +120s
screen attract
expect @paper.lines == 0
