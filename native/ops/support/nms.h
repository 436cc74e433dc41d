// Non-maximum suppression: of boxes that overlap the best one stays.
#pragma once

#include <cstdint>
#include <functional>

namespace edge {

struct Box {
  float ymin, xmin, ymax, xmax;
};

// Area of the intersection over area of the union; 0 where one of both boxes has no area.
float intersection_over_union(const Box& a, const Box& b);

struct Suppression {
  float least_score = 0;   // boxes below do not count
  float most_overlap = 1;  // intersection over union beyond which the worse of two boxes goes
  int32_t limit = 0;       // boxes at most
};

// Writes the numbers of the boxes that stay to selected[limit], best first, the lower number first
// where scores are equal, and returns how many they are. order[count] is scratch memory. Only the
// boxes that it looks at are asked for.
int32_t suppress(const Suppression& rule, const std::function<Box(int32_t)>& box,
                 const float* scores, int32_t count, int32_t* order, int32_t* selected);

}  // namespace edge
