namespace MLNet.PQCompression.Inference.Plan;

/// <summary>A step that makes each blocked plane of each image by itself.</summary>
internal abstract unsafe class PlaneStep(string name, PlanValue output, params PlanValue[] inputs) : Step(name, output, inputs)
{
    public sealed override int Parts(Workspace workspace, int phase) => workspace.Count * Output!.Planes;

    public sealed override void Run(Workspace workspace, int phase, int part, int worker)
    {
        int image = part / Output!.Planes, plane = part % Output.Planes;
        workspace.ClearBorder(Output, image, plane);
        Run(workspace, image, plane);
    }

    /// <summary>Sets to zero what a function has made of the channels that fill up the last block: it need not be finite, and zeros of weights times it must be zeros.</summary>
    protected void ClearAbsentChannels(Workspace workspace, int image, int plane)
    {
        int present = Output!.Channels - plane * PlanValue.Block;
        if (present >= PlanValue.Block)
            return;
        for (int row = 0; row < Output.Height; row++)
        {
            float* pixel = workspace.Pixel(Output, image, plane, row, 0);
            for (int i = 0; i < Output.Width; i++, pixel += PlanValue.Block)
                new Span<float>(pixel + present, PlanValue.Block - present).Clear();
        }
    }

    /// <summary>Makes a plane of the output; its border is already clear.</summary>
    protected abstract void Run(Workspace workspace, int image, int plane);
}
