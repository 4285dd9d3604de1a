using MLNet.PQCompression.Distillation.Managed.Operations;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Distillation.Managed;

/// <summary>A graph compiled for one input size: operations in order, run forwards and, in reverse, backwards.</summary>
/// <remarks>
/// Memory: the forward pass keeps only what some backward operation will read and gives every other buffer back once its last reader has run; a gradient's
/// buffer goes back as soon as it has been propagated. So a step holds at most the kept activations (those above the lowest trainable parameter) plus the
/// gradients alive at one cut of the graph, and a pass without gradients only the activations alive at one cut.
/// </remarks>
internal sealed class TrainingProgram : IDisposable
{
    private readonly TrainingOperation[] _operations;
    private readonly ValueSlot _input;
    private readonly ValueSlot[] _outputs;
    private readonly StepContext _context;
    private readonly BufferPool _buffers = new();

    /// <summary>Compiles a graph.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="inputShape">1×C×H×W.</param>
    /// <param name="parameters">A parameter for each initializer.</param>
    /// <param name="workers">The threads.</param>
    /// <param name="share">How ranks share a batch, or null for one process.</param>
    public TrainingProgram(ModelGraph graph, TensorShape inputShape, IReadOnlyDictionary<string, Parameter> parameters, WorkerPool workers, BatchShare? share = null)
    {
        _context = new(workers, _buffers, share ?? new(null));
        var builder = new ProgramBuilder(graph, inputShape, parameters);
        _operations = builder.Build();
        _input = builder.Slot(graph.Input.Name);
        _outputs = [.. graph.Outputs.Select(o => builder.Slot(o.Name))];
        foreach (TrainingOperation operation in _operations)
        {
            operation.Output.NeedsGradient = operation.Parameters.Any(p => p.Trainable) || operation.Inputs.Any(i => i.NeedsGradient);
            foreach (ValueSlot input in operation.Inputs)
                input.Consumers++;
        }
        foreach (TrainingOperation operation in _operations.Where(o => o.Output.NeedsGradient))
        {
            operation.Output.KeptForBackward |= operation.ReadsOutput;
            for (int i = 0; i < operation.Inputs.Length; i++)
                operation.Inputs[i].KeptForBackward |= operation.ReadsInput(i);
        }
        foreach (ValueSlot output in _outputs)
            output.Consumers++;
        OutputLength = checked(_outputs.Sum(o => o.Layout.Count));
    }

    /// <summary>Values of an image's outputs, which lie one after the other.</summary>
    public int OutputLength { get; }

    /// <summary>Bytes of activations, gradients and scratch allocated so far.</summary>
    public long AllocatedBytes => _buffers.AllocatedBytes;

    /// <summary>Runs forwards.</summary>
    /// <param name="images">Count·C·H·W values.</param>
    /// <param name="count">The number of images.</param>
    /// <param name="batchStatistics">Whether BatchNormalization uses and moves statistics.</param>
    /// <param name="keep">Whether a backward pass will follow.</param>
    /// <param name="outputs">Receives count·<see cref="OutputLength"/> values.</param>
    /// <param name="total">Images of all ranks, which share them; null for images that this one has alone.</param>
    public unsafe void Forward(ReadOnlyMemory<float> images, int count, bool batchStatistics, bool keep, Span<float> outputs, int? total = null)
    {
        Release();
        (_context.Count, _context.Total, _context.BatchStatistics) = (count, total ?? count, batchStatistics);
        _context.Allocate(_input);
        int length = _input.Layout.Count;
        _context.ForEachSample(n => _input.Layout.Load(images.Span.Slice(n * length, length), _input.Sample(n)));
        _input.Unread = _input.Consumers;
        foreach (TrainingOperation operation in _operations)
        {
            _context.Allocate(operation.Output);
            operation.Output.Unread = operation.Output.Consumers;
            operation.Forward(_context);
            foreach (ValueSlot input in operation.Inputs)
                if (--input.Unread == 0 && !(keep && input.KeptForBackward))
                    ReleaseData(input);
            if (operation.Output.Consumers == 0)
                ReleaseData(operation.Output);
        }
        for (int n = 0, at = 0; n < count; n++)
            foreach (ValueSlot output in _outputs)
            {
                output.Layout.Store(output.Sample(n), outputs.Slice(at, output.Layout.Count));
                at += output.Layout.Count;
            }
        if (!keep)
            Release();
    }

    /// <summary>Runs backwards and adds to the parameters' gradients.</summary>
    /// <param name="outputGradients">The loss's gradient by the outputs, image after image.</param>
    public unsafe void Backward(ReadOnlySpan<float> outputGradients)
    {
        int at = 0;
        foreach (ValueSlot output in _outputs)
        {
            if (output.NeedsGradient)
            {
                _context.GradientTarget(output, out _);
                for (int n = 0; n < _context.Count; n++)
                    output.Layout.Load(outputGradients.Slice(n * OutputLength + at, output.Layout.Count), output.GradientSample(n));
            }
            at += output.Layout.Count;
        }
        for (int i = _operations.Length - 1; i >= 0; i--)
        {
            TrainingOperation operation = _operations[i];
            if (operation.Output.NeedsGradient && operation.Output.Gradient is not null)
                operation.Backward(_context);
            ReleaseGradient(operation.Output);
            ReleaseData(operation.Output);
        }
        Release();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Release();
        foreach (IDisposable operation in _operations.OfType<IDisposable>())
            operation.Dispose();
        _buffers.Dispose();
    }

    private void Release()
    {
        ReleaseData(_input);
        foreach (TrainingOperation operation in _operations)
        {
            ReleaseData(operation.Output);
            ReleaseGradient(operation.Output);
        }
    }

    private void ReleaseData(ValueSlot slot)
    {
        if (slot.Data is not { } data)
            return;
        slot.Data = null;
        _buffers.Return(data);
    }

    private void ReleaseGradient(ValueSlot slot)
    {
        if (slot.Gradient is not { } gradient)
            return;
        slot.Gradient = null;
        _buffers.Return(gradient);
    }
}
