/* audio_boxes: the formats whose elements state their own sizes, MP4 (ISO/IEC 14496-12, QuickTime) and Matroska (WebM;
 * RFC 8794), walked over without looking inside. */
#ifndef SJ_AUDIO_BOXES_H
#define SJ_AUDIO_BOXES_H

#include <stdint.h>

/* Where, by the sizes stated in it, the regular file fd ends at least; 0: another format, or it does not say. A file
 * with fewer bytes than this was cut short. */
uint64_t sj_audio_boxes_end(int fd);

#endif
