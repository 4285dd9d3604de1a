using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference.Kernels;

namespace MLNet.PQCompression.Inference.Plan;

/// <summary>A convolution of each channel by itself, 16 channels at a time: y = clamp(scale·Σₜ w[t]·x[t] + bias + residual).</summary>
internal sealed unsafe class DepthwiseStep : PlaneStep
{
    private readonly ConvolutionNode _node;
    private readonly PlanValue _x, _y;
    private readonly PlanValue? _residual;
    private readonly float[] _weights, _scale, _bias;
    private readonly nint[] _offsets;
    private readonly float _low, _high;

    public DepthwiseStep(ConvolutionNode node, Initializer weight, PlanValue x, PlanValue y, Fusion fusion)
        : base(node.Name, y, fusion.Residual is null ? [x] : [x, fusion.Residual])
    {
        (_node, _x, _y, _residual) = (node, x, y, fusion.Residual);
        Window w = node.Window;
        int taps = w.KernelHeight * w.KernelWidth;
        ReadOnlySpan<float> dense = weight.ToDense().Span;
        _weights = PinnedFloats.Allocate(node.Name, (long)y.Planes * taps * PlanValue.Block);
        for (int c = 0; c < y.Channels; c++)
            for (int t = 0; t < taps; t++)
                _weights[(c / 16 * taps + t) * 16 + c % 16] = dense[c * taps + t];
        _offsets = new nint[taps];
        for (int t = 0; t < taps; t++)
            _offsets[t] = (nint)(t / w.KernelWidth * w.DilationY - w.PadTop) * x.RowStride + (nint)(t % w.KernelWidth * w.DilationX - w.PadLeft) * x.Lanes;
        (_scale, _bias) = fusion.Pinned((y.Planes + 1) / 2);
        (_low, _high) = (fusion.Low, fusion.High);
    }

    public override string Kernel => "depthwise";

    public override long WeightBytes => ((long)_weights.Length + _scale.Length + _bias.Length) * sizeof(float);

    public override long Operations => _node.Operations;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Run(Workspace workspace, int image, int plane)
    {
        fixed (float* scale = &_scale[plane * 16], bias = &_bias[plane * 16], weights = &_weights[plane * _offsets.Length * 16])
        fixed (nint* offsets = _offsets)
            for (int row = 0; row < _y.Height; row++)
            {
                float* x = workspace.Pixel(_x, image, plane, row * _node.Window.StrideY, 0), y = workspace.Pixel(_y, image, plane, row, 0);
                float* residual = _residual is null ? null : workspace.Pixel(_residual, image, plane, row, 0);
                for (int i = 0; i < _y.Width; i++, x += _node.Window.StrideX * 16, y += 16)
                    for (int lane = 0; lane < 16; lane += Vector256<float>.Count)
                    {
                        Vector256<float> sum = Vector256<float>.Zero;
                        for (int t = 0; t < _offsets.Length; t++)
                            sum = Vector256.MultiplyAddEstimate(Vector256.Load(x + offsets[t] + lane), Vector256.Load(weights + t * 16 + lane), sum);
                        sum = Vector256.MultiplyAddEstimate(sum, Vector256.Load(scale + lane), Vector256.Load(bias + lane));
                        if (residual != null)
                            sum += Vector256.Load(residual + i * 16 + lane);
                        Vector256.Min(Vector256.Max(sum, Vector256.Create(_low)), Vector256.Create(_high)).Store(y + lane);
                    }
            }
    }
}
