#include "profiling/schema.hpp"
