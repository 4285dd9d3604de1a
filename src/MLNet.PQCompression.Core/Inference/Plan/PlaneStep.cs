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

    /// <summary>Makes a plane of the output; its border is already clear.</summary>
    protected abstract void Run(Workspace workspace, int image, int plane);
}
