using System.Runtime.CompilerServices;

namespace MLNet.PQCompression.Inference.Plan;

/// <summary>Copies channels of some values into one: neighbouring channels of one block together, whole blocks row by row.</summary>
internal sealed unsafe class ChannelStep : PlaneStep
{
    private readonly Stretch[][] _stretches; // By plane.

    public ChannelStep(string name, ChannelMap map, PlanValue output) : base(name, output, [.. map.Channels.Select(c => c.Source).Distinct()])
    {
        _stretches = new Stretch[output.Planes][];
        for (int plane = 0; plane < output.Planes; plane++)
            _stretches[plane] = [.. StretchesOf(map, plane * PlanValue.Block, Math.Min(output.Channels, (plane + 1) * PlanValue.Block))];
    }

    public override string Kernel => "channels";

    protected override void Run(Workspace workspace, int image, int plane)
    {
        foreach (Stretch run in _stretches[plane])
            Copy(workspace, image, plane, run);
        ClearAbsentChannels(workspace, image, plane);
    }

    /// <summary>Stretches of channels that lie together in one block of their source.</summary>
    private static IEnumerable<Stretch> StretchesOf(ChannelMap map, int first, int end)
    {
        for (int c = first, length; c < end; c += length)
        {
            (PlanValue source, int channel) = map.Channels[c];
            length = 1;
            while (c + length < end && channel % PlanValue.Block + length < PlanValue.Block && ReferenceEquals(map.Channels[c + length].Source, source) && map.Channels[c + length].Channel == channel + length)
                length++;
            yield return new(source, channel, c - first, length);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Copy(Workspace workspace, int image, int plane, Stretch run)
    {
        for (int row = 0; row < Output!.Height; row++)
        {
            float* from = workspace.Pixel(run.Source, image, run.Channel / PlanValue.Block, row, 0) + run.Channel % PlanValue.Block;
            float* to = workspace.Pixel(Output, image, plane, row, 0) + run.Lane;
            int values = Output.Width * PlanValue.Block;
            if (run.Length == PlanValue.Block)
                new ReadOnlySpan<float>(from, values).CopyTo(new(to, values));
            else if (run.Length == 1)
                for (int i = 0; i < values; i += PlanValue.Block)
                    to[i] = from[i];
            else
                for (int i = 0; i < values; i += PlanValue.Block)
                    for (int lane = 0; lane < run.Length; lane++)
                        to[i + lane] = from[i + lane];
        }
    }

    /// <summary>Channels of one block of a source, and the lane of the output where they begin.</summary>
    private readonly record struct Stretch(PlanValue Source, int Channel, int Lane, int Length);
}
