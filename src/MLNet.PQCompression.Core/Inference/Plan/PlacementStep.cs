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
        for (int lane = 0; lane < PlanValue.Block; lane++)
            CopyChannel(workspace, image, plane, lane, _from[plane * PlanValue.Block + lane], plane * PlanValue.Block + lane);
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
