// CUPTI's own headers, in the one place that includes them; only the files that talk to CUPTI include this.
#pragma once

#include <cupti.h>
