"""Exports torchvision's maskrcnn_resnet50_fpn with random weights to ONNX, as users export theirs.

    python3 export-maskrcnn.py OUT.onnx [--size 320] [--seed 0]

Random weights find nothing by themselves: without a threshold on scores the proposals reach all heads. Needs torch and torchvision.
"""
import argparse

import torch
import torchvision
from torch.onnx import register_custom_op_symbolic, symbolic_helper, symbolic_opset9, symbolic_opset11

OPSET = 16


@symbolic_helper.parse_args("v", "v", "f", "i", "i", "i", "i")
def roi_align(g, x, rois, scale, height, width, sampling, aligned):
    """torchvision 0.14 leaves coordinate_transformation_mode out, whose default from operator set 16 on is not what it computes."""
    def column(*indices):
        return symbolic_opset11.select(g, rois, 1, g.op("Constant", value_t=torch.tensor(list(indices), dtype=torch.long)))
    batch = symbolic_opset9._cast_Long(g, symbolic_opset11.squeeze(g, column(0), 1), False)
    return g.op("RoiAlign", x, column(1, 2, 3, 4), batch, coordinate_transformation_mode_s="half_pixel" if aligned else "output_half_pixel",
                spatial_scale_f=scale, output_height_i=height, output_width_i=width, sampling_ratio_i=max(sampling, 0))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("--size", type=int, default=320)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    register_custom_op_symbolic("torchvision::roi_align", roi_align, OPSET)
    torch.manual_seed(arguments.seed)
    model = torchvision.models.detection.maskrcnn_resnet50_fpn(
        weights=None, weights_backbone=None, min_size=arguments.size, max_size=arguments.size, box_score_thresh=0.0, rpn_post_nms_top_n_test=100, box_detections_per_img=20).eval()
    image = torch.rand(3, arguments.size, arguments.size)
    with torch.no_grad():
        torch.onnx.export(model, ([image],), arguments.out, opset_version=OPSET, do_constant_folding=True, input_names=["image"], output_names=["boxes", "labels", "scores", "masks"],
                          dynamic_axes={name: {0: "detections"} for name in ("boxes", "labels", "scores", "masks")})


if __name__ == "__main__":
    main()
