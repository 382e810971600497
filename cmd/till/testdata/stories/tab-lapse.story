# A tab that nobody closes is deposited by itself before the coin is free again. What
# was not signed is missing, and says so.
ring 4.00
do tab
do confirm
qr /^taler/ within 30s
customer taps
see "50.00 EUR left" within 60s
do tab.charge
see "signed 4.00 of 4.00 EUR" within 10s
do back
do back
screen register
clock +11h45m
never "TAB ENDS" for 2s
clock +10m
see "TAB ENDS" in dialog within 20s
do acknowledge
see /tab paid/ in dialog within 30s
do acknowledge
paper "4.00" within 5s
do sales
see state confirmed
journal verify
