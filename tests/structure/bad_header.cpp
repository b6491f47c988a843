// Never part of a build: a header that does not compile alone (std::string_view without <string_view>).
std::string_view name_of(int);
