using System.Runtime.Intrinsics;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference.Kernels;

namespace MLNet.PQCompression.Inference.Plan;

/// <summary>y = function(scale·x + bias), channel by channel; the affine part or the function may be missing.</summary>
internal sealed unsafe class PointwiseStep : PlaneStep
{
    private readonly PlanValue _x;
    private readonly float[]? _scale, _bias;
    private readonly PlaneFunction? _function;

    public PointwiseStep(string name, PlanValue x, PlanValue y, float[]? scale, float[]? bias, Operator? function) : base(name, y, x)
    {
        (_x, _function) = (x, function is null ? null : PlaneFunction.Of(function));
        if (scale is not null)
            (_scale, _bias) = (FillUp(scale, y.Planes), FillUp(bias!, y.Planes));
    }

    public override string Kernel => _scale is null ? "pointwise" : "affine";

    protected override void Run(Workspace workspace, int image, int plane)
    {
        int length = _x.Width * 16;
        for (int row = 0; row < _x.Height; row++)
        {
            var source = new ReadOnlySpan<float>(workspace.Pixel(_x, image, plane, row, 0), length);
            var target = new Span<float>(workspace.Pixel(Output!, image, plane, row, 0), length);
            if (_scale is not null)
            {
                for (int lane = 0; lane < 16; lane += Vector256<float>.Count)
                {
                    Vector256<float> scale = Vector256.Create(_scale.AsSpan(plane * 16 + lane)), bias = Vector256.Create(_bias.AsSpan(plane * 16 + lane));
                    for (int i = lane; i < length; i += 16)
                        Vector256.MultiplyAddEstimate(Vector256.Create(source[i..]), scale, bias).CopyTo(target[i..]);
                }
            }
            _function?.Apply(workspace.Pixel(_scale is null ? _x : Output!, image, plane, row, 0), workspace.Pixel(Output!, image, plane, row, 0), length);
        }
        ClearAbsentChannels(workspace, image, plane);
    }

    private static float[] FillUp(float[] values, int planes)
    {
        var full = new float[planes * 16];
        values.CopyTo(full, 0);
        return full;
    }
}
