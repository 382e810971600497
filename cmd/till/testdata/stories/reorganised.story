# A reorganisation takes a confirmation back and the sale follows.
ring 9.00
do pay
do tender.bitcoin
customer pays
see state accepted
do acknowledge
mine 3
do sales
see state confirmed
reorg 3
see state accepted within 20s
mine 3
see state confirmed
journal verify
