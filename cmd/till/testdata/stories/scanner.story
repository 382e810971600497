# Codes from a scanner on a serial line and from one that types: items of the
# catalogue, nothing unknown, and never a key stroke.
scan "9012345678909"
see "Coffee beans 250 g" in body
see "9.90"
scan "9012345678909" by serial
see "19.80"
scan "90017606" by keyboard
see "Mineral water" in body
see "22.70"
say "a code that nobody knows adds nothing"
scan "4006381333931"
see /not in the catalogue/i
see "22.70"
say "an attacker's code: F10, y, and a line end in the middle"
scan "\e[21~y"
see /scan was refused/i
screen register
scan "90017606\x03"
see /scan was refused/i
see "22.70"
say "without its cable it is away, and back with it"
do devices
see /scanner +● ready/
scan "4006381333931"
see "read 13 characters"
pull scanner
see /scanner +○ absent/
plug scanner
see /scanner +● ready/
do register
scan "90017606"
see "25.60"
journal verify
