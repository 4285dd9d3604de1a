using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Compression;

/// <summary>
/// Runs teacher and student side by side over all images and keeps only the activations that later nodes still read: the frontier. So every
/// layer sees the student's own activations (paper, section 3.3) and the whole costs one pass of each network.
/// </summary>
/// <remarks>Until a weight differs the two share their activations. Within a stretch of nodes only one batch's values are alive at a time.</remarks>
internal sealed class TwinFrontier : IDisposable
{
    /// <summary>From how many bytes of activations on memory that is needed no more is asked back at once.</summary>
    private const long CollectedAbove = 16 << 20;

    private readonly ModelGraph _teacher;
    private readonly IEvaluationBackend _backend;
    private readonly INodeEvaluator _evaluator;
    private readonly int _batches;
    private readonly Dictionary<string, int> _readers;
    private readonly HashSet<string> _differing = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Activation[]> _teacherValues = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Activation[]> _studentValues = new(StringComparer.Ordinal);

    /// <summary>Starts at the images, which it takes over.</summary>
    public TwinFrontier(ModelGraph teacher, Activation[] images, IEvaluationBackend backend)
    {
        (_teacher, _backend, _batches, _evaluator) = (teacher, backend, images.Length, backend.Evaluate(teacher));
        _readers = teacher.Nodes.SelectMany(n => n.Inputs.Distinct()).GroupBy(n => n, StringComparer.Ordinal)
            .ToDictionary(g => g.Key, g => g.Count(), StringComparer.Ordinal);
        Student = teacher;
        _teacherValues[teacher.Input.Name] = _studentValues[teacher.Input.Name] = images;
    }

    /// <summary>The student as it stands.</summary>
    public ModelGraph Student { get; private set; }

    /// <summary>Gives the student other weights; the nodes that read them must not have been passed.</summary>
    public void Replace(IEnumerable<KeyValuePair<string, Initializer>> weights) => Student = Student.WithInitializers(weights);

    /// <summary>The student's value, batch by batch.</summary>
    public Activation[] StudentValue(string name) => _studentValues[name];

    /// <summary>The teacher's value, batch by batch.</summary>
    public Activation[] TeacherValue(string name) => _teacherValues[name];

    /// <summary>Whether a value is on the frontier and the networks disagree on it.</summary>
    public bool Differs(string name) => _differing.Contains(name) && _studentValues.ContainsKey(name);

    /// <summary>The teacher's output of a node whose inputs lie on the frontier.</summary>
    /// <exception cref="InvalidModelException">It is not finite.</exception>
    public Activation TeacherOutput(Node node, int batch)
    {
        Activation Known(string name) => _teacherValues[name][batch];
        IReadOnlyDictionary<string, Activation> outputs = _evaluator.Evaluate([node], Known, _ => true);
        FiniteValues.Require(outputs.Values, "the teacher", _evaluator, [node], Known);
        return outputs[node.Output];
    }

    /// <summary>Moves both networks past a stretch of nodes, the next in order, one batch at a time.</summary>
    /// <param name="nodes">The nodes.</param>
    /// <param name="firstOutputs">The teacher's outputs of the first node, where they have been worked out already; they are taken over.</param>
    /// <param name="cancellationToken">Stops between batches.</param>
    /// <exception cref="InvalidModelException">A value that is kept, or an output of a network, is not finite.</exception>
    public void Advance(IReadOnlyList<Node> nodes, Activation[]? firstOutputs, CancellationToken cancellationToken)
    {
        foreach (Node node in nodes)
        {
            if (node.Inputs.Any(name => _differing.Contains(name) || (_teacher.Initializers.TryGetValue(name, out Initializer? own) && !ReferenceEquals(own, Student.Initializers[name]))))
                _differing.Add(node.Output);
            foreach (string name in node.Inputs.Distinct())
                _readers[name]--;
        }
        string[] kept = [.. nodes.Select(n => n.Output).Where(name => _readers.GetValueOrDefault(name) > 0)];
        string[] consumed = [.. _teacherValues.Keys.Where(name => _readers[name] == 0)];
        foreach (string name in kept)
        {
            _teacherValues[name] = new Activation[_batches];
            _studentValues[name] = _differing.Contains(name) ? new Activation[_batches] : _teacherValues[name];
        }
        using INodeEvaluator student = _backend.Evaluate(Student);
        for (int b = 0; b < _batches; b++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Step(nodes, b, student, firstOutputs?[b]);
            if (firstOutputs is not null)
                firstOutputs[b] = null!;
            foreach (string name in consumed)
                _teacherValues[name][b] = _studentValues[name][b] = null!;
        }
        foreach (string name in consumed)
        {
            _teacherValues.Remove(name);
            _studentValues.Remove(name);
        }
        // Few objects live, so a collection takes no time; by itself the collector lets the process grow to twice what is alive.
        if (_teacherValues.Values.Sum(batches => batches.Sum(a => a.Shape.Count * sizeof(float))) > CollectedAbove)
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: false);
    }

    /// <inheritdoc/>
    public void Dispose() => _evaluator.Dispose();

    private void Step(IReadOnlyList<Node> nodes, int batch, INodeEvaluator studentEvaluator, Activation? firstOutput)
    {
        Node[] ahead = [.. nodes.Skip(firstOutput is null ? 0 : 1)], differing = [.. nodes.Where(n => _differing.Contains(n.Output))];
        HashSet<string> shared = [.. differing.SelectMany(n => n.Inputs).Where(name => !_differing.Contains(name))];
        Activation Known(string name) => firstOutput is not null && name == nodes[0].Output ? firstOutput : _teacherValues[name][batch];
        IReadOnlyDictionary<string, Activation> teacher = _evaluator.Evaluate(ahead, Known, name => IsWanted(name) || shared.Contains(name));
        FiniteValues.Require(teacher.Values, "the teacher", _evaluator, ahead, Known);
        Activation Expected(string name) => teacher.TryGetValue(name, out Activation? own) ? own : Known(name);
        Activation Actual(string name) => _differing.Contains(name) ? _studentValues[name][batch] : Expected(name);
        IReadOnlyDictionary<string, Activation> student = studentEvaluator.Evaluate(differing, Actual, IsWanted);
        FiniteValues.Require(student.Values, "the network as far as it is compressed", studentEvaluator, differing, Actual);
        foreach (Node node in nodes)
        {
            if (_teacherValues.TryGetValue(node.Output, out Activation[]? values))
                values[batch] = Expected(node.Output);
            if (_studentValues.TryGetValue(node.Output, out values))
                values[batch] = _differing.Contains(node.Output) ? student[node.Output] : Expected(node.Output);
        }
    }

    /// <summary>Whether a value is read later on, or is what a network gives.</summary>
    private bool IsWanted(string name) => _teacherValues.ContainsKey(name) || _teacher.Outputs.Any(o => o.Name == name);
}
