using System.Collections.Immutable;

namespace MLNet.PQCompression.Distillation.Managed.Operations;

/// <summary>A node of the graph, or several fused, that can run forwards and backwards.</summary>
/// <param name="inputs">The activations it reads.</param>
/// <param name="parameters">The parameters it reads.</param>
/// <param name="output">The activation it makes.</param>
internal abstract class TrainingOperation(ImmutableArray<ValueSlot> inputs, ImmutableArray<Parameter> parameters, ValueSlot output)
{
    /// <summary>The activations it reads.</summary>
    public ImmutableArray<ValueSlot> Inputs { get; } = inputs;

    /// <summary>The parameters it reads.</summary>
    public ImmutableArray<Parameter> Parameters { get; } = parameters;

    /// <summary>The activation it makes.</summary>
    public ValueSlot Output { get; } = output;

    /// <summary>Whether <see cref="Backward"/> reads the data of an input.</summary>
    public virtual bool ReadsInput(int index) => true;

    /// <summary>Whether <see cref="Backward"/> reads the data of the output.</summary>
    public virtual bool ReadsOutput => false;

    /// <summary>Computes the output, whose data is allocated and undefined.</summary>
    public abstract void Forward(StepContext context);

    /// <summary>Adds the gradient of each input and trainable parameter that needs one, given the output's.</summary>
    public abstract void Backward(StepContext context);
}
