# A customer buys alone: chooses, pays, takes the receipt and leaves; the kiosk
# begins again by itself.
screen attract
see "Café Central" in title
press enter
screen register
add "Espresso" x 2
do pay
do tender.bitcoin
qr /^bitcoin:/i as uri
customer pays
see state accepted
see /paid/i
paper "Espresso" within 5s
never "Hand over" for 300ms
clock +20s
screen attract
journal verify
