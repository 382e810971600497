# A whole practice sale on an emulated machine, which is slow.
patience 60s
ring 12.30
do pay
do tender.bitcoin
qr /^bitcoin:/i
customer pays
see state accepted
see "PAID"
paper "12.30"
paper "Thank you!"
paper qr
do acknowledge
journal verify
