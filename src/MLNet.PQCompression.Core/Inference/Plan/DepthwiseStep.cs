using System.Runtime.CompilerServices;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference.Kernels;

namespace MLNet.PQCompression.Inference.Plan;

/// <summary>A convolution of each channel by itself, 16 channels at a time: y = f(clamp(scale·Σₜ w[t]·x[t] + bias + residual)).</summary>
/// <remarks>Neighbouring pixels are computed together, so that a tap's weights are loaded once for all of them and each product is one instruction.</remarks>
internal sealed unsafe class DepthwiseStep<TVector> : PlaneStep
    where TVector : struct, IFloatVector<TVector>
{
    private readonly ConvolutionNode _node;
    private readonly PlanValue _x, _y;
    private readonly PlanValue? _residual;
    private readonly PlaneFunction? _function;
    private readonly float[] _weights, _scale, _bias;
    private readonly nint[] _offsets;
    private readonly float _low, _high;

    public DepthwiseStep(ConvolutionNode node, Initializer weight, PlanValue x, PlanValue y, Fusion fusion)
        : base(node.Name, y, fusion.Residual is null ? [x] : [x, fusion.Residual])
    {
        (_node, _x, _y, _residual, _function) = (node, x, y, fusion.Residual, fusion.Function);
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
        int taps = _offsets.Length, stride = _node.Window.StrideX * PlanValue.Block;
        fixed (float* scale = &_scale[plane * 16], bias = &_bias[plane * 16], weights = &_weights[plane * taps * 16])
        fixed (nint* offsets = _offsets)
            for (int row = 0; row < _y.Height; row++)
            {
                float* x = workspace.Pixel(_x, image, plane, row * _node.Window.StrideY, 0), y = workspace.Pixel(_y, image, plane, row, 0);
                float* residual = _residual is null ? null : workspace.Pixel(_residual, image, plane, row, 0);
                for (int lane = 0; lane < PlanValue.Block; lane += TVector.Count)
                {
                    int i = 0;
                    for (; i <= _y.Width - 6; i += 6)
                        Six(x + (nint)i * stride + lane, stride, offsets, weights + lane, taps, y + i * 16 + lane, residual == null ? null : residual + i * 16 + lane, scale + lane, bias + lane);
                    for (; i <= _y.Width - 3; i += 3)
                        Three(x + (nint)i * stride + lane, stride, offsets, weights + lane, taps, y + i * 16 + lane, residual == null ? null : residual + i * 16 + lane, scale + lane, bias + lane);
                    for (; i < _y.Width; i++)
                        One(x + (nint)i * stride + lane, offsets, weights + lane, taps, y + i * 16 + lane, residual == null ? null : residual + i * 16 + lane, scale + lane, bias + lane);
                }
                _function?.Apply(y, y, _y.Width * PlanValue.Block);
            }
        if (_function is not null)
            ClearAbsentChannels(workspace, image, plane);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Six(float* x, int stride, nint* offsets, float* weights, int taps, float* y, float* residual, float* scale, float* bias)
    {
        TVector s0 = TVector.Zero, s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0;
        for (int t = 0; t < taps; t++, weights += PlanValue.Block)
        {
            float* p = x + offsets[t];
            TVector w = TVector.Load(weights);
            s0 = TVector.MultiplyAdd(TVector.Load(p), w, s0);
            s1 = TVector.MultiplyAdd(TVector.Load(p + stride), w, s1);
            s2 = TVector.MultiplyAdd(TVector.Load(p + 2 * stride), w, s2);
            p += 3 * stride;
            s3 = TVector.MultiplyAdd(TVector.Load(p), w, s3);
            s4 = TVector.MultiplyAdd(TVector.Load(p + stride), w, s4);
            s5 = TVector.MultiplyAdd(TVector.Load(p + 2 * stride), w, s5);
        }
        TVector a = TVector.Load(scale), b = TVector.Load(bias), low = TVector.Create(_low), high = TVector.Create(_high);
        Finish(s0, y, residual, 0, a, b, low, high);
        Finish(s1, y, residual, 16, a, b, low, high);
        Finish(s2, y, residual, 32, a, b, low, high);
        Finish(s3, y, residual, 48, a, b, low, high);
        Finish(s4, y, residual, 64, a, b, low, high);
        Finish(s5, y, residual, 80, a, b, low, high);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Three(float* x, int stride, nint* offsets, float* weights, int taps, float* y, float* residual, float* scale, float* bias)
    {
        TVector s0 = TVector.Zero, s1 = s0, s2 = s0;
        for (int t = 0; t < taps; t++, weights += PlanValue.Block)
        {
            float* p = x + offsets[t];
            TVector w = TVector.Load(weights);
            s0 = TVector.MultiplyAdd(TVector.Load(p), w, s0);
            s1 = TVector.MultiplyAdd(TVector.Load(p + stride), w, s1);
            s2 = TVector.MultiplyAdd(TVector.Load(p + 2 * stride), w, s2);
        }
        TVector a = TVector.Load(scale), b = TVector.Load(bias), low = TVector.Create(_low), high = TVector.Create(_high);
        Finish(s0, y, residual, 0, a, b, low, high);
        Finish(s1, y, residual, 16, a, b, low, high);
        Finish(s2, y, residual, 32, a, b, low, high);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void One(float* x, nint* offsets, float* weights, int taps, float* y, float* residual, float* scale, float* bias)
    {
        TVector s = TVector.Zero;
        for (int t = 0; t < taps; t++, weights += PlanValue.Block)
            s = TVector.MultiplyAdd(TVector.Load(x + offsets[t]), TVector.Load(weights), s);
        Finish(s, y, residual, 0, TVector.Load(scale), TVector.Load(bias), TVector.Create(_low), TVector.Create(_high));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish(TVector sum, float* y, float* residual, int at, TVector scale, TVector bias, TVector low, TVector high)
    {
        sum = TVector.MultiplyAdd(sum, scale, bias);
        if (residual != null)
            sum += TVector.Load(residual + at);
        TVector.Clamp(sum, low, high).Store(y + at);
    }
}
