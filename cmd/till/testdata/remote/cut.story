# The cable between counter and server is cut in the middle of a sale.
patience 20s
sign in 1 1111
ring 12.30
do pay
do tender.bitcoin
qr /^bitcoin:/i
pull network
see /offline/i in health
customer pays
never "PAID" for 2s
plug network
see state accepted within 70s
see "PAID"
paper "12.30"
do acknowledge
mine 3
do sales
see state confirmed
journal verify
