using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference.Kernels;

namespace MLNet.PQCompression.Inference.Plan;

/// <summary>
/// A convolution in groups, from blocked values to blocked values. The outputs of a register read the channels of their groups, which lie together; where a
/// register holds several groups, the weights of an output for the channels of others are zeros.
/// </summary>
internal sealed unsafe class GroupedConvolutionStep<TVector> : Step
    where TVector : struct, IFloatVector<TVector>
{
    private const int Block = PlanValue.Block, Width = TileOperands.PanelWidth;

    private readonly PlanValue _x, _y;
    private readonly PlanValue? _residual;
    private readonly PlaneFunction? _function;
    private readonly ConvolutionNode _node;
    private readonly WeightPanels _weights;
    private readonly float[] _scale, _bias;
    private readonly float _low, _high;
    private readonly int _taps, _groupInputs, _groupOutputs, _mostRows;
    private readonly GroupRun[][] _runs; // By register of outputs.

    public GroupedConvolutionStep(ConvolutionNode node, Initializer weight, WeightStore store, PlanValue x, PlanValue y, Fusion fusion)
        : base(node.Name, y, fusion.Residual is null ? [x] : [x, fusion.Residual])
    {
        (_node, _x, _y, _residual, _function) = (node, x, y, fusion.Residual, fusion.Function);
        (_groupInputs, _groupOutputs, _taps) = (weight.Shape[1], y.Channels / node.Group, node.Window.KernelHeight * node.Window.KernelWidth);
        _weights = WeightPanels.Create(node.Name, weight, _groupInputs * _taps, flat => flat, store);
        _runs = new GroupRun[(y.Channels + TVector.Count - 1) / TVector.Count][];
        for (int unit = 0; unit < _runs.Length; unit++)
        {
            _runs[unit] = [.. RunsOf(unit)];
            _mostRows = Math.Max(_mostRows, _runs[unit].Sum(r => r.Length));
        }
        (_scale, _bias) = fusion.Pinned(_weights.Panels);
        (_low, _high) = (fusion.Low, fusion.High);
    }

    public override string Kernel => "grouped";

    public override long Operations => _node.Operations;

    public override long WeightBytes => _weights.Bytes + 2L * _scale.Length * sizeof(float);

    /// <summary>The weights of 32 outputs as they are, and spread over the channels that a register of them reads.</summary>
    public override long ThreadScratch => _weights.Scratch + (long)_mostRows * TVector.Count;

    /// <summary>Whether there is a kernel: a stride of 1 or 2, and channels of other groups that do not outweigh the own.</summary>
    public static bool Applies(Conv conv, TensorShape weight)
    {
        int outputs = weight[0] / conv.Group;
        return conv.Window.StrideX <= 2 && (outputs % TVector.Count == 0 || TVector.Count % outputs == 0 || outputs > TVector.Count) && TVector.Count <= 4 * outputs;
    }

    public override int Parts(Workspace workspace, int phase) => _y.Planes;

    /// <summary>Runs of neighbouring channels, block by block and tap by tap.</summary>
    private IEnumerable<GroupRun> RunsOf(int unit)
    {
        Window w = _node.Window;
        (int first, int end) = ChannelsOf(unit);
        for (int channel = first, length; channel < end; channel += length)
        {
            length = Math.Min(end, (channel / Block + 1) * Block) - channel;
            for (int tap = 0; tap < _taps; tap++)
                yield return new(
                    (nint)(channel / Block) * _x.PlaneStride + channel % Block + (nint)(tap / w.KernelWidth * w.DilationY - w.PadTop) * _x.RowStride
                    + (nint)(tap % w.KernelWidth * w.DilationX - w.PadLeft) * _x.Lanes, length, channel, tap);
        }
    }

    private (int First, int End) ChannelsOf(int unit)
    {
        int last = Math.Min((unit + 1) * TVector.Count, _y.Channels) - 1;
        return (unit * TVector.Count / _groupOutputs * _groupInputs, (last / _groupOutputs + 1) * _groupInputs);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(Workspace workspace, int phase, int part, int worker)
    {
        float* spread = workspace.ThreadScratch(worker), decoded = spread + (long)_mostRows * TVector.Count, compact = _weights.Get(part / 2, decoded) + part % 2 * Block;
        for (int image = 0; image < workspace.Count; image++)
            workspace.ClearBorder(_y, image, part);
        for (int lane = 0; lane < Block; lane += TVector.Count)
        {
            int unit = (part * Block + lane) / TVector.Count;
            if (unit >= _runs.Length)
            {
                for (int image = 0; image < workspace.Count; image++)
                    Clear(workspace, image, part, lane);
                continue;
            }
            Spread(compact + lane, unit, spread);
            for (int image = 0; image < workspace.Count; image++)
                for (int row = 0; row < _y.Height; row++)
                    Row(workspace, image, part, lane, row, _runs[unit], spread);
        }
        for (int image = 0; _function is not null && image < workspace.Count; image++)
            for (int row = 0; row < _y.Height; row++)
            {
                float* y = workspace.Pixel(_y, image, part, row, 0);
                _function.Apply(y, y, _y.Width * Block);
            }
    }

    private void Clear(Workspace workspace, int image, int plane, int lane)
    {
        for (int row = 0; row < _y.Height; row++)
            for (int column = 0; column < _y.Width; column++)
                TVector.Zero.Store(workspace.Pixel(_y, image, plane, row, column) + lane);
    }

    /// <summary>Puts each output's weights into the rows of its group's channels; all other rows are zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Spread(float* compact, int unit, float* spread)
    {
        float* to = spread;
        foreach (GroupRun run in _runs[unit])
            for (int c = run.Channel; c < run.Channel + run.Length; c++, to += TVector.Count)
                for (int lane = 0; lane < TVector.Count; lane++)
                {
                    int own = c - (unit * TVector.Count + lane) / _groupOutputs * _groupInputs;
                    to[lane] = (uint)own < (uint)_groupInputs && unit * TVector.Count + lane < _y.Channels ? compact[(own * _taps + run.Tap) * Width + lane] : 0;
                }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Row(Workspace workspace, int image, int plane, int lane, int row, GroupRun[] runs, float* panel)
    {
        float* x = workspace.Pixel(_x, image, 0, row * _node.Window.StrideY, 0), y = workspace.Pixel(_y, image, plane, row, 0) + lane;
        float* residual = _residual is null ? null : workspace.Pixel(_residual, image, plane, row, 0) + lane;
        int stride = _node.Window.StrideX * Block, i = 0;
        float* scale = (float*)Marshal.UnsafeAddrOfPinnedArrayElement(_scale, plane * Block + lane), bias = (float*)Marshal.UnsafeAddrOfPinnedArrayElement(_bias, plane * Block + lane);
        fixed (GroupRun* first = runs)
        {
            for (; i <= _y.Width - 7; i += 7)
                if (stride == Block)
                    Seven<Sixteen>(x + i * stride, first, runs.Length, panel, y + i * Block, residual == null ? null : residual + i * Block, scale, bias);
                else
                    Seven<ThirtyTwo>(x + i * stride, first, runs.Length, panel, y + i * Block, residual == null ? null : residual + i * Block, scale, bias);
            for (; i < _y.Width; i++)
                One(x + i * stride, first, runs.Length, panel, y + i * Block, residual == null ? null : residual + i * Block, scale, bias);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Seven<TStride>(float* x, GroupRun* runs, int count, float* panel, float* y, float* residual, float* scale, float* bias)
        where TStride : struct, IConstant
    {
        TVector s0 = TVector.Zero, s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0;
        for (; count > 0; count--, runs++)
        {
            float* p = x + runs->Offset;
            for (int i = runs->Length; i > 0; i--, p++, panel += TVector.Count)
            {
                TVector w = TVector.Load(panel);
                s0 = TVector.MultiplyAdd(w, p, s0);
                s1 = TVector.MultiplyAdd(w, p + TStride.Value, s1);
                s2 = TVector.MultiplyAdd(w, p + 2 * TStride.Value, s2);
                s3 = TVector.MultiplyAdd(w, p + 3 * TStride.Value, s3);
                s4 = TVector.MultiplyAdd(w, p + 4 * TStride.Value, s4);
                s5 = TVector.MultiplyAdd(w, p + 5 * TStride.Value, s5);
                s6 = TVector.MultiplyAdd(w, p + 6 * TStride.Value, s6);
            }
        }
        TVector a = TVector.Load(scale), b = TVector.Load(bias), low = TVector.Create(_low), high = TVector.Create(_high);
        Finish(s0, y, residual, 0, a, b, low, high);
        Finish(s1, y, residual, Block, a, b, low, high);
        Finish(s2, y, residual, 2 * Block, a, b, low, high);
        Finish(s3, y, residual, 3 * Block, a, b, low, high);
        Finish(s4, y, residual, 4 * Block, a, b, low, high);
        Finish(s5, y, residual, 5 * Block, a, b, low, high);
        Finish(s6, y, residual, 6 * Block, a, b, low, high);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void One(float* x, GroupRun* runs, int count, float* panel, float* y, float* residual, float* scale, float* bias)
    {
        TVector s = TVector.Zero;
        for (; count > 0; count--, runs++)
        {
            float* p = x + runs->Offset;
            for (int i = runs->Length; i > 0; i--, p++, panel += TVector.Count)
                s = TVector.MultiplyAdd(TVector.Load(panel), p, s);
        }
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

/// <summary>Neighbouring channels at one tap.</summary>
/// <param name="Offset">Where they lie, from a pixel's first value.</param>
/// <param name="Length">How many.</param>
/// <param name="Channel">The first.</param>
/// <param name="Tap">The tap.</param>
internal readonly record struct GroupRun(nint Offset, int Length, int Channel, int Tap);
