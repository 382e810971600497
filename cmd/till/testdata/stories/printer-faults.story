# What happens to printers: an open cover, a printer that hangs, a pulled plug.
# Money does not wait for paper, and no receipt comes twice without saying COPY.
patience 10s
printer cover open
ring 7.50
do pay
do tender.bitcoin
customer pays
see state accepted
see "cover open" in health within 8s
do acknowledge
do devices
see /cover is open: close it/i
printer cover closed
paper "7.50" within 8s
paper count "COPY" 0
see "printer ready" in health
do register
say "a printer that hangs is silent, then prints"
printer stall
ring 8.50
do pay
do tender.bitcoin
customer pays
see state accepted
see "printer silent" in health within 12s
do acknowledge
printer ok
paper "8.50" within 12s
say "a plug that is pulled while a receipt is under way: it comes again, as a copy"
printer paper out after 6 lines
ring 9.50
do pay
do tender.bitcoin
customer pays
see state accepted
see "paper out" in health within 8s
do acknowledge
pull printer
see /printer (unplugged|unreachable)/ in health within 8s
printer paper in
plug printer
paper "COPY 2" within 12s
see "printer ready" in health within 8s
paper "9.50"
journal verify
