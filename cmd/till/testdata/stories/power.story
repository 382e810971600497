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
printer paper out after 6 lines
customer pays
see state seen
pull power
plug power
see state accepted
see "PAID"
say "in the middle of the receipt: whether it came out only a person knows"
see /paper/i in health within 8s
pull power
plug power
see "Print again?" in dialog within 10s
printer paper in
do confirm
paper "COPY" within 10s
wait 2s
say "afterwards"
pull power
plug power
mine 3
do sales
see state confirmed
see "7.20"
journal verify
