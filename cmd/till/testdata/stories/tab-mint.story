# A tab while the mint is slow, then gone, then the power too: rounds are signed
# without the mint, nothing signed is forgotten, and nothing counts as paid before
# the mint has said so.
ring 3.00
do tab
do confirm
qr /^taler/ within 30s
mint slow 300ms
customer taps
see "+ 3.00 EUR" within 60s
mint down
do tab.charge
see "signed 3.00 of 3.00 EUR" within 10s
do back
do back
ring 2.00
do tab
do next
do tab.charge
see "signed 5.00 of 5.00 EUR" within 10s
pull power
plug power
screen register
mint down
say "the tab is there again"
do tab
see "5.00"
do next
see "signed 5.00 of 5.00 EUR"
do tab.close
do confirm
see /mint has not/ within 20s
cannot tab.close because /closed/
never "PAID" for 3s
say "the power once more, while the mint is asked"
pull power
plug power
see /tab paid/ in dialog within 60s
do acknowledge
paper "TOTAL EUR                             5.00" within 10s
paper count "TOTAL EUR" 1
do sales
see state confirmed
journal verify
