namespace MLNet.PQCompression.Inference.Plan;

/// <summary>One step of a compiled plan. A step is immutable and shared by all calls; its data are in the <see cref="Workspace"/>.</summary>
internal abstract class Step(string name, PlanValue? output, params PlanValue[] inputs)
{
    /// <summary>The name of the first node that the step computes.</summary>
    public string Name { get; } = name;

    /// <summary>What computes it, for reports.</summary>
    public abstract string Kernel { get; }

    /// <summary>The values it reads.</summary>
    public PlanValue[] Inputs { get; } = inputs;

    /// <summary>The value it makes, or null for the step that hands out the results.</summary>
    public PlanValue? Output { get; } = output;

    /// <summary>Multiplications and additions of the layer's definition for one image.</summary>
    public virtual long Operations => 0;

    /// <summary>Bytes of weights that the step keeps.</summary>
    public virtual long WeightBytes => 0;

    /// <summary>Scratch for all parts, in values.</summary>
    public virtual long SharedScratch => 0;

    /// <summary>Scratch for each thread, in values.</summary>
    public virtual long ThreadScratch => 0;

    /// <summary>Phases, each of which begins when the one before has ended.</summary>
    public virtual int Phases(Workspace workspace) => 1;

    /// <summary>Independent parts of a phase. The partition may depend on the batch, never on the number of threads.</summary>
    public abstract int Parts(Workspace workspace, int phase);

    /// <summary>Runs a part of a phase on a thread.</summary>
    public abstract void Run(Workspace workspace, int phase, int part, int worker);
}
