# The paper ends in the middle of a receipt: the job waits, says so, resumes,
# and never prints twice silently.
printer paper out after 6 lines
ring 7.50
do pay
do tender.bitcoin
customer pays
see state accepted
see /paper/i in health within 8s
do acknowledge
do devices
see /paper/i
printer paper in
paper "Thank you!" within 8s
paper count "COPY" 0
paper cut 1
see "ready" in health
journal verify
