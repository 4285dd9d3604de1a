using System.Runtime.CompilerServices;

namespace MLNet.PQCompression.Inference.Plan;

/// <summary>Copies a value into another layout. Without an input the images of the call are read, without an output the results are written.</summary>
internal sealed unsafe class RelayoutStep : Step
{
    private readonly PlanValue? _source;
    private readonly PlanValue _shape;
    private readonly int _output;

    /// <summary>From another layout, or from the images of the call.</summary>
    public RelayoutStep(string name, PlanValue? source, PlanValue target) : base(name, target, source is null ? [] : [source]) => (_source, _shape) = (source, target);

    /// <summary>To an output of the call.</summary>
    public RelayoutStep(string name, PlanValue source, int output) : base(name, null, source) => (_source, _shape, _output) = (source, source, output);

    public override string Kernel => "layout";

    public override int Parts(Workspace workspace, int phase) => workspace.Count * Groups;

    /// <summary>Channels are copied in groups of 16, so that parts never share a block.</summary>
    private int Groups => (_shape.Channels + 15) / 16;

    public override void Run(Workspace workspace, int phase, int part, int worker)
    {
        if (Output is null && workspace.Output(_output) == null)
            return;
        int image = part / Groups, first = part % Groups * 16, end = Math.Min(first + 16, _shape.Channels);
        bool isBlocked = Output is { Layout: ValueLayout.Blocked };
        if (isBlocked)
            workspace.ClearBorder(Output!, image, first / 16);
        else if (Output is not null)
            for (int c = first; c < end; c++)
                workspace.ClearBorder(Output, image, c);
        // Row by row, because a row of pixels of 16 channels stays in the first-level cache until all of them are there.
        for (int row = 0; row < _shape.Height; row++)
        {
            if (isBlocked && end < first + 16)
                new Span<float>(workspace.Pixel(Output!, image, first / 16, row, 0), _shape.Width * 16).Clear();
            for (int c = first; c < end; c++)
                CopyRow(Source(workspace, image, c, row), _source?.Lanes ?? 1, Target(workspace, image, c, row), Output?.Lanes ?? 1);
        }
    }

    private float* Source(Workspace workspace, int image, int channel, int row) => _source is null
        ? workspace.Input + (((long)image * _shape.Channels + channel) * _shape.Height + row) * _shape.Width
        : At(workspace, _source, image, channel, row);

    private float* Target(Workspace workspace, int image, int channel, int row) => Output is null
        ? workspace.Output(_output) + (((long)image * _shape.Channels + channel) * _shape.Height + row) * _shape.Width
        : At(workspace, Output, image, channel, row);

    /// <summary>A row of a channel; a flat value may have another rank, so its place is counted from the shape.</summary>
    private float* At(Workspace workspace, PlanValue value, int image, int channel, int row) => value.Layout switch
    {
        ValueLayout.Blocked => workspace.Pixel(value, image, channel / 16, row, 0) + channel % 16,
        ValueLayout.Planes => workspace.Pixel(value, image, channel, row, 0),
        _ => workspace.Plane(value, image, 0) + ((long)channel * _shape.Height + row) * _shape.Width,
    };

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void CopyRow(float* from, int fromStep, float* to, int toStep)
    {
        if (fromStep == 1 && toStep == 1)
            new ReadOnlySpan<float>(from, _shape.Width).CopyTo(new Span<float>(to, _shape.Width));
        else
            for (int i = 0; i < _shape.Width; i++)
                to[i * toStep] = from[i * fromStep];
    }
}
