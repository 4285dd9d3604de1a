namespace MLNet.PQCompression.Distillation.Managed;

/// <summary>One value of the graph during a step: its data and its gradient, each present only while something needs it.</summary>
internal sealed unsafe class ValueSlot(string name, ValueLayout layout)
{
    /// <summary>The value's name in the graph.</summary>
    public string Name { get; } = name;

    /// <summary>How it lies in memory.</summary>
    public ValueLayout Layout { get; } = layout;

    /// <summary>Whether the loss's gradient by it is wanted.</summary>
    public bool NeedsGradient { get; set; }

    /// <summary>Whether the backward pass reads the data.</summary>
    public bool KeptForBackward { get; set; }

    /// <summary>How many operations read it.</summary>
    public int Consumers { get; set; }

    /// <summary>How many operations of the running forward pass have still to read it.</summary>
    public int Unread { get; set; }

    /// <summary>The samples, one after the other.</summary>
    public AlignedBuffer? Data { get; set; }

    /// <summary>The gradient, laid out as the data; null until something has been added to it.</summary>
    public AlignedBuffer? Gradient { get; set; }

    /// <summary>The data of a sample.</summary>
    public float* Sample(int index) => Data!.Pointer + (long)index * Layout.Length;

    /// <summary>The gradient of a sample.</summary>
    public float* GradientSample(int index) => Gradient!.Pointer + (long)index * Layout.Length;
}
