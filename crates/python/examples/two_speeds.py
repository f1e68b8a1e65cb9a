"""0.5 mg/kg of ketamine over 40 and over 100 minutes: the median of 100,000 people, and where 90 % of them are."""

import matplotlib.pyplot as plt
from chairside_pkpd import population

for minutes, colour in [(40, "tab:blue"), (100, "tab:orange")]:
    dose = f"0.5 mg/kg over {minutes} min"
    people = population("kamp_meta2020", 100_000, doses=dose, at_min=range(241), weight_kg=70)
    low, median, high = people.percentiles([0.05, 0.5, 0.95])["cp_ng_ml"].T
    plt.fill_between(people.time_min, low, high, color=colour, alpha=0.2)
    plt.plot(people.time_min, median, color=colour, label=dose)
plt.legend(), plt.xlabel("min"), plt.ylabel("ketamine in arterial plasma, ng/mL")
plt.savefig("two_speeds.png", dpi=120)
