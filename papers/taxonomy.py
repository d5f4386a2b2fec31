"""FACTS: arXiv's archives and categories, with arXiv's own names (https://arxiv.org/category_taxonomy)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Archive:
    """One archive and its categories, code to name, in arXiv's order."""

    code: str
    name: str
    categories: dict[str, str]


_CS = {
    "AI": "Artificial Intelligence",
    "AR": "Hardware Architecture",
    "CC": "Computational Complexity",
    "CE": "Computational Engineering, Finance, and Science",
    "CG": "Computational Geometry",
    "CL": "Computation and Language",
    "CR": "Cryptography and Security",
    "CV": "Computer Vision and Pattern Recognition",
    "CY": "Computers and Society",
    "DB": "Databases",
    "DC": "Distributed, Parallel, and Cluster Computing",
    "DL": "Digital Libraries",
    "DM": "Discrete Mathematics",
    "DS": "Data Structures and Algorithms",
    "ET": "Emerging Technologies",
    "FL": "Formal Languages and Automata Theory",
    "GL": "General Literature",
    "GR": "Graphics",
    "GT": "Computer Science and Game Theory",
    "HC": "Human-Computer Interaction",
    "IR": "Information Retrieval",
    "IT": "Information Theory",
    "LG": "Machine Learning",
    "LO": "Logic in Computer Science",
    "MA": "Multiagent Systems",
    "MM": "Multimedia",
    "MS": "Mathematical Software",
    "NA": "Numerical Analysis",
    "NE": "Neural and Evolutionary Computing",
    "NI": "Networking and Internet Architecture",
    "OH": "Other Computer Science",
    "OS": "Operating Systems",
    "PF": "Performance",
    "PL": "Programming Languages",
    "RO": "Robotics",
    "SC": "Symbolic Computation",
    "SD": "Sound",
    "SE": "Software Engineering",
    "SI": "Social and Information Networks",
    "SY": "Systems and Control",
}
_ECON = {"EM": "Econometrics", "GN": "General Economics", "TH": "Theoretical Economics"}
_EESS = {
    "AS": "Audio and Speech Processing",
    "IV": "Image and Video Processing",
    "SP": "Signal Processing",
    "SY": "Systems and Control",
}
_MATH = {
    "AC": "Commutative Algebra",
    "AG": "Algebraic Geometry",
    "AP": "Analysis of PDEs",
    "AT": "Algebraic Topology",
    "CA": "Classical Analysis and ODEs",
    "CO": "Combinatorics",
    "CT": "Category Theory",
    "CV": "Complex Variables",
    "DG": "Differential Geometry",
    "DS": "Dynamical Systems",
    "FA": "Functional Analysis",
    "GM": "General Mathematics",
    "GN": "General Topology",
    "GR": "Group Theory",
    "GT": "Geometric Topology",
    "HO": "History and Overview",
    "IT": "Information Theory",
    "KT": "K-Theory and Homology",
    "LO": "Logic",
    "MG": "Metric Geometry",
    "MP": "Mathematical Physics",
    "NA": "Numerical Analysis",
    "NT": "Number Theory",
    "OA": "Operator Algebras",
    "OC": "Optimization and Control",
    "PR": "Probability",
    "QA": "Quantum Algebra",
    "RA": "Rings and Algebras",
    "RT": "Representation Theory",
    "SG": "Symplectic Geometry",
    "SP": "Spectral Theory",
    "ST": "Statistics Theory",
}
_ASTRO = {
    "CO": "Cosmology and Nongalactic Astrophysics",
    "EP": "Earth and Planetary Astrophysics",
    "GA": "Astrophysics of Galaxies",
    "HE": "High Energy Astrophysical Phenomena",
    "IM": "Instrumentation and Methods for Astrophysics",
    "SR": "Solar and Stellar Astrophysics",
}
_COND_MAT = {
    "dis-nn": "Disordered Systems and Neural Networks",
    "mes-hall": "Mesoscale and Nanoscale Physics",
    "mtrl-sci": "Materials Science",
    "other": "Other Condensed Matter",
    "quant-gas": "Quantum Gases",
    "soft": "Soft Condensed Matter",
    "stat-mech": "Statistical Mechanics",
    "str-el": "Strongly Correlated Electrons",
    "supr-con": "Superconductivity",
}
_NLIN = {
    "AO": "Adaptation and Self-Organizing Systems",
    "CD": "Chaotic Dynamics",
    "CG": "Cellular Automata and Lattice Gases",
    "PS": "Pattern Formation and Solitons",
    "SI": "Exactly Solvable and Integrable Systems",
}
_PHYSICS = {
    "acc-ph": "Accelerator Physics",
    "ao-ph": "Atmospheric and Oceanic Physics",
    "app-ph": "Applied Physics",
    "atm-clus": "Atomic and Molecular Clusters",
    "atom-ph": "Atomic Physics",
    "bio-ph": "Biological Physics",
    "chem-ph": "Chemical Physics",
    "class-ph": "Classical Physics",
    "comp-ph": "Computational Physics",
    "data-an": "Data Analysis, Statistics and Probability",
    "ed-ph": "Physics Education",
    "flu-dyn": "Fluid Dynamics",
    "gen-ph": "General Physics",
    "geo-ph": "Geophysics",
    "hist-ph": "History and Philosophy of Physics",
    "ins-det": "Instrumentation and Detectors",
    "med-ph": "Medical Physics",
    "optics": "Optics",
    "plasm-ph": "Plasma Physics",
    "pop-ph": "Popular Physics",
    "soc-ph": "Physics and Society",
    "space-ph": "Space Physics",
}
_Q_BIO = {
    "BM": "Biomolecules",
    "CB": "Cell Behavior",
    "GN": "Genomics",
    "MN": "Molecular Networks",
    "NC": "Neurons and Cognition",
    "OT": "Other Quantitative Biology",
    "PE": "Populations and Evolution",
    "QM": "Quantitative Methods",
    "SC": "Subcellular Processes",
    "TO": "Tissues and Organs",
}
_Q_FIN = {
    "CP": "Computational Finance",
    "EC": "Economics",
    "GN": "General Finance",
    "MF": "Mathematical Finance",
    "PM": "Portfolio Management",
    "PR": "Pricing of Securities",
    "RM": "Risk Management",
    "ST": "Statistical Finance",
    "TR": "Trading and Market Microstructure",
}
_STAT = {
    "AP": "Applications",
    "CO": "Computation",
    "ME": "Methodology",
    "ML": "Machine Learning",
    "OT": "Other Statistics",
    "TH": "Statistics Theory",
}


def _archive(code: str, name: str, subjects: dict[str, str]) -> Archive:
    return Archive(code, name, {f"{code}.{subject}": title for subject, title in subjects.items()})


def _whole(code: str, name: str) -> Archive:
    """An archive that is one category."""
    return Archive(code, name, {code: name})


ARCHIVES: tuple[Archive, ...] = (
    _archive("cs", "Computer Science", _CS),
    _archive("stat", "Statistics", _STAT),
    _archive("eess", "Electrical Engineering and Systems Science", _EESS),
    _archive("math", "Mathematics", _MATH),
    _archive("q-bio", "Quantitative Biology", _Q_BIO),
    _archive("q-fin", "Quantitative Finance", _Q_FIN),
    _archive("econ", "Economics", _ECON),
    _archive("astro-ph", "Astrophysics", _ASTRO),
    _archive("cond-mat", "Condensed Matter", _COND_MAT),
    _archive("nlin", "Nonlinear Sciences", _NLIN),
    _archive("physics", "Physics", _PHYSICS),
    _whole("gr-qc", "General Relativity and Quantum Cosmology"),
    _whole("hep-ex", "High Energy Physics - Experiment"),
    _whole("hep-lat", "High Energy Physics - Lattice"),
    _whole("hep-ph", "High Energy Physics - Phenomenology"),
    _whole("hep-th", "High Energy Physics - Theory"),
    _whole("math-ph", "Mathematical Physics"),
    _whole("nucl-ex", "Nuclear Experiment"),
    _whole("nucl-th", "Nuclear Theory"),
    _whole("quant-ph", "Quantum Physics"),
)
CATEGORIES: dict[str, str] = {code: name for archive in ARCHIVES for code, name in archive.categories.items()}

# Two codes for one subject: a paper in either is listed in both. The value is arXiv's canonical code.
ALIASES: dict[str, str] = {
    "cs.NA": "math.NA",
    "cs.SY": "eess.SY",
    "math.IT": "cs.IT",
    "math.MP": "math-ph",
    "q-fin.EC": "econ.GN",
    "stat.TH": "math.ST",
}

# Closed archives, still on the papers that were filed there, and what took them over.
ARCHIVED: dict[str, tuple[str, str]] = {
    "acc-phys": ("physics.acc-ph", "Accelerator Physics"),
    "adap-org": ("nlin.AO", "Adaptation, Noise, and Self-Organizing Systems"),
    "alg-geom": ("math.AG", "Algebraic Geometry"),
    "ao-sci": ("physics.ao-ph", "Atmospheric-Oceanic Sciences"),
    "astro-ph": ("astro-ph.GA", "Astrophysics"),
    "atom-ph": ("physics.atom-ph", "Atomic, Molecular and Optical Physics"),
    "bayes-an": ("physics.data-an", "Bayesian Analysis"),
    "chao-dyn": ("nlin.CD", "Chaotic Dynamics"),
    "chem-ph": ("physics.chem-ph", "Chemical Physics"),
    "cmp-lg": ("cs.CL", "Computation and Language"),
    "comp-gas": ("nlin.CG", "Cellular Automata and Lattice Gases"),
    "cond-mat": ("cond-mat.other", "Condensed Matter"),
    "dg-ga": ("math.DG", "Differential Geometry"),
    "funct-an": ("math.FA", "Functional Analysis"),
    "mtrl-th": ("cond-mat.mtrl-sci", "Materials Theory"),
    "patt-sol": ("nlin.PS", "Pattern Formation and Solitons"),
    "plasm-ph": ("physics.plasm-ph", "Plasma Physics"),
    "q-alg": ("math.QA", "Quantum Algebra and Topology"),
    "q-bio": ("q-bio.OT", "Quantitative Biology"),
    "solv-int": ("nlin.SI", "Exactly Solvable and Integrable Systems"),
    "supr-con": ("cond-mat.supr-con", "Superconductivity"),
}

# In OAI-PMH these archives stand under the group `physics`; every other archive is its own group.
_PHYSICS_ARCHIVES = {
    "astro-ph", "cond-mat", "gr-qc", "hep-ex", "hep-lat", "hep-ph", "hep-th", "math-ph", "nlin", "nucl-ex",
    "nucl-th", "physics", "quant-ph",
}  # fmt: skip


def is_category(code: str) -> bool:
    """Whether arXiv announces papers in it today. Codes are case-sensitive: `cs.AI`, `hep-th`."""
    return code in CATEGORIES


def name_of(code: str) -> str:
    """The subject's name; of a closed archive the name it had; of an unknown code the code itself."""
    return CATEGORIES.get(code) or (ARCHIVED[code][1] if code in ARCHIVED else code)


def archive_of(code: str) -> str:
    """`cs` for `cs.LG`, `hep-th` for itself: the part that OAI-PMH sets start with."""
    return code.partition(".")[0]


def oai_set(code: str) -> str:
    """The set of one category: `cs:cs:AI`, `physics:hep-th`, `physics:physics:optics`. KeyError if unknown."""
    if not is_category(code):
        raise KeyError(code)
    archive = archive_of(code)
    group = "physics" if archive in _PHYSICS_ARCHIVES else archive
    return ":".join([group, *code.split(".")])


def successor(code: str) -> str | None:
    """What took a closed category over, or the other code of the same subject; None where there is none."""
    return ARCHIVED[code][0] if code in ARCHIVED else ALIASES.get(code)


def suggestion(code: str) -> str | None:
    """The category that a misspelt code most likely means: other case, or what took a closed archive over."""
    if code in ARCHIVED:
        return ARCHIVED[code][0]
    return next((known for known in CATEGORIES if known.lower() == code.strip().lower()), None)
