using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MLNet.PQCompression.Inference.Plan;

/// <summary>Where a value's pixels and channels come from: output (c, y, x) is input (c − Channel, y·StepY + Y, x·StepX + X), or the fill value outside.</summary>
/// <param name="Source">The input.</param>
/// <param name="Channel">The output channel of the input's channel 0.</param>
/// <param name="Y">The input row of output row 0.</param>
/// <param name="X">The input column of output column 0.</param>
/// <param name="StepY">Input rows between output rows.</param>
/// <param name="StepX">Input columns between output columns.</param>
internal sealed record Placement(PlanValue Source, int Channel, int Y = 0, int X = 0, int StepY = 1, int StepX = 1);

/// <summary>Slice, Pad and Concat of images: copies of whole channels to other places.</summary>
internal sealed unsafe class PlacementStep : PlaneStep
{
    private readonly Placement?[] _from; // By output channel.
    private readonly float _fill;

    public PlacementStep(string name, PlanValue output, Placement[] placements, float fill)
        : base(name, output, [.. placements.Select(p => p.Source)])
    {
        _fill = fill;
        _from = new Placement?[output.Planes * PlanValue.Block];
        foreach (Placement p in placements)
            for (int channel = Math.Max(0, p.Channel); channel < Math.Min(output.Channels, (long)p.Channel + p.Source.Channels); channel++)
                _from[channel] = p;
    }

    public override string Kernel => "copy";

    protected override void Run(Workspace workspace, int image, int plane)
    {
        if (WholeBlock(plane) is { } from)
        {
            CopyPixels(workspace, image, plane, from);
            return;
        }
        for (int lane = 0; lane < PlanValue.Block; lane++)
            CopyChannel(workspace, image, plane, lane, _from[plane * PlanValue.Block + lane], plane * PlanValue.Block + lane);
    }

    /// <summary>Where a plane comes from, if all its channels are those of one plane of one input, at the same places: absent ones, which are zeros, too.</summary>
    private Placement? WholeBlock(int plane)
    {
        int first = plane * PlanValue.Block, present = Math.Min(PlanValue.Block, Output!.Channels - first);
        if (_from[first] is not { } from || (first - from.Channel) % PlanValue.Block != 0)
            return null;
        for (int lane = 0; lane < present; lane++)
            if (_from[first + lane] != from)
                return null;
        return present == PlanValue.Block || first - from.Channel + present == from.Source.Channels ? from : null;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void CopyPixels(Workspace workspace, int image, int plane, Placement from)
    {
        PlanValue x = from.Source, y = Output!;
        int inner = plane - from.Channel / PlanValue.Block, present = Math.Min(PlanValue.Block, y.Channels - plane * PlanValue.Block);
        // The columns that lie within the input.
        int begin = Math.Clamp(from.X >= 0 ? 0 : (-from.X + from.StepX - 1) / from.StepX, 0, y.Width);
        int end = from.X >= x.Width ? begin : (int)Math.Clamp(((long)x.Width - from.X - 1) / from.StepX + 1, begin, y.Width);
        for (int row = 0; row < y.Height; row++)
        {
            float* target = workspace.Pixel(y, image, plane, row, 0);
            long at = (long)row * from.StepY + from.Y;
            bool isInside = at >= 0 && at < x.Height && end > begin;
            Fill(target, 0, isInside ? begin : y.Width, present);
            if (!isInside)
                continue;
            float* source = workspace.Pixel(x, image, inner, (int)at, begin * from.StepX + from.X);
            if (from.StepX == 1)
                new ReadOnlySpan<float>(source, (end - begin) * PlanValue.Block).CopyTo(new Span<float>(target + begin * PlanValue.Block, (end - begin) * PlanValue.Block));
            else
                for (int column = begin; column < end; column++, source += from.StepX * PlanValue.Block)
                {
                    Vector256.Load(source).Store(target + column * PlanValue.Block);
                    Vector256.Load(source + 8).Store(target + column * PlanValue.Block + 8);
                }
            Fill(target, end, y.Width, present);
        }
    }

    private void Fill(float* row, int begin, int end, int present)
    {
        for (int column = begin; column < end; column++)
            for (int lane = 0; lane < PlanValue.Block; lane++)
                row[column * PlanValue.Block + lane] = lane < present ? _fill : 0;
    }

    private void CopyChannel(Workspace workspace, int image, int plane, int lane, Placement? from, int channel)
    {
        for (int row = 0; row < Output!.Height; row++)
        {
            float* target = workspace.Pixel(Output, image, plane, row, 0) + lane;
            int y = from is null ? -1 : row * from.StepY + from.Y;
            if (from is null || (uint)y >= (uint)from.Source.Height)
            {
                for (int column = 0; column < Output.Width; column++)
                    target[column * 16] = channel < Output.Channels ? _fill : 0;
                continue;
            }
            int inner = channel - from.Channel;
            float* source = workspace.Pixel(from.Source, image, inner / 16, y, 0) + inner % 16;
            for (int column = 0; column < Output.Width; column++)
            {
                int x = column * from.StepX + from.X;
                target[column * 16] = (uint)x < (uint)from.Source.Width ? source[x * 16] : _fill;
            }
        }
    }
}
