# The power is pulled at each stage of a sale: nothing is lost, nothing doubled.
say "while ringing up"
ring 3.20
ring 4.00
wait 500ms
pull power
plug power
screen register
see "7.20"
say "while the QR is shown"
do pay
do tender.bitcoin
qr /^bitcoin:/i as before
pull power
plug power
screen pay
qr $before
say "while the payment is on its way"
customer pays
see state seen
pull power
plug power
see state accepted
see "PAID"
say "after the receipt began"
pull power
plug power
paper "Thank you!" within 10s
screen register
say "with nothing open"
pull power
plug power
screen register
mine 3
do sales
see state confirmed
see "7.20"
journal verify
