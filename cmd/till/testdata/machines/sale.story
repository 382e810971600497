# A whole practice sale on an emulated machine, which is slow; scanner and display
# are on serial ports.
patience 60s
scan "90017606"
see "Mineral water" in body
display 1 /Mineral water +2.90/
ring 12.30
display 2 /TOTAL +15.20 EUR/
do pay
do tender.bitcoin
qr /^bitcoin:/i
customer pays
see state accepted
see "PAID"
paper "15.20"
display 1 /PAID +15.20 EUR/
paper "Thank you!"
paper qr
do acknowledge
journal verify
