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
    private readonly ModelGraph _teacher;
    private readonly IEvaluationBackend _backend;
    private readonly ForeignPart _foreign;
    private readonly INodeEvaluator _evaluator;
    private readonly ActivationStore _store;
    private readonly Dictionary<string, int> _readers;
    private readonly HashSet<string> _differing = new(StringComparer.Ordinal);
    private readonly Dictionary<string, StoredActivation[]> _teacherValues = new(StringComparer.Ordinal);
    private readonly Dictionary<string, StoredActivation[]> _studentValues = new(StringComparer.Ordinal);

    /// <summary>Starts at the images, which it takes over.</summary>
    /// <param name="teacher">The teacher, as which the student starts.</param>
    /// <param name="images">The images, batch by batch, in the store.</param>
    /// <param name="backend">Runs both.</param>
    /// <param name="store">Keeps their activations.</param>
    /// <param name="foreign">Runs stretches with foreign nodes; null where there are none.</param>
    public TwinFrontier(ModelGraph teacher, CalibrationImages images, IEvaluationBackend backend, ActivationStore store, ForeignPart? foreign = null)
    {
        (_teacher, _backend, _store, _foreign, Images) = (teacher, backend, store, foreign ?? ForeignPart.None, images);
        _evaluator = _foreign.Evaluate(teacher, backend);
        _readers = teacher.Nodes.SelectMany(teacher.ReadsOf).GroupBy(n => n, StringComparer.Ordinal)
            .ToDictionary(g => g.Key, g => g.Count(), StringComparer.Ordinal);
        Student = teacher;
        _teacherValues[teacher.Input.Name] = _studentValues[teacher.Input.Name] = images.Batches;
    }

    /// <summary>What it started at.</summary>
    public CalibrationImages Images { get; }

    /// <summary>How many batches this rank has.</summary>
    public int Batches => Images.Batches.Length;

    /// <summary>The student as it stands.</summary>
    public ModelGraph Student { get; private set; }

    /// <summary>Gives the student other weights; the nodes that read them must not have been passed.</summary>
    public void Replace(IEnumerable<KeyValuePair<string, Initializer>> weights) => Student = Student.WithInitializers(weights);

    /// <summary>The student's value for a batch.</summary>
    public Activation StudentValue(string name, int batch) => _studentValues[name][batch].Load();

    /// <summary>The teacher's value for a batch.</summary>
    public Activation TeacherValue(string name, int batch) => _teacherValues[name][batch].Load();

    /// <summary>Keeps a value until <see cref="Advance"/> takes it over.</summary>
    public StoredActivation Keep(Activation value) => _store.Add(value);

    /// <summary>Whether a value is on the frontier and the networks disagree on it.</summary>
    public bool Differs(string name) => _differing.Contains(name) && _studentValues.ContainsKey(name);

    /// <summary>The teacher's output of a node whose inputs lie on the frontier.</summary>
    /// <exception cref="InvalidModelException">It is not finite.</exception>
    public Activation TeacherOutput(Node node, int batch)
    {
        Activation Known(string name) => TeacherValue(name, batch);
        IReadOnlyDictionary<string, Activation> outputs = _evaluator.Evaluate([node], Known, _ => true);
        FiniteValues.Require(outputs.Values, "the teacher", _evaluator, [node], Known);
        return outputs[node.Output];
    }

    /// <summary>The teacher's outputs of nodes whose inputs lie on the frontier, kept until <see cref="Advance"/> takes them over.</summary>
    /// <returns>Of each node those of each batch.</returns>
    /// <exception cref="InvalidModelException">They are not finite.</exception>
    public StoredActivation[][] TeacherOutputs(IReadOnlyList<Node> nodes, CancellationToken cancellationToken)
    {
        StoredActivation[][] outputs = [.. nodes.Select(_ => new StoredActivation[Batches])];
        for (int i = 0; i < outputs.Length; i++)
            for (int b = 0; b < Batches; b++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                outputs[i][b] = Keep(TeacherOutput(nodes[i], b));
            }
        return outputs;
    }

    /// <summary>The shapes of a value on the frontier, batch by batch.</summary>
    public IEnumerable<TensorShape> ShapesOf(string name) => _studentValues[name].Select(v => v.Shape);

    /// <summary>Moves both networks past a stretch of nodes, the next in order, one batch at a time.</summary>
    /// <param name="nodes">The nodes.</param>
    /// <param name="firstOutputs">The teacher's outputs of the first nodes, where they have been worked out already; they are taken over.</param>
    /// <param name="cancellationToken">Stops between batches.</param>
    /// <exception cref="InvalidModelException">A value that is kept, or an output of a network, is not finite.</exception>
    public void Advance(IReadOnlyList<Node> nodes, StoredActivation[][]? firstOutputs, CancellationToken cancellationToken)
    {
        foreach (Node node in nodes)
        {
            if (!_foreign.IsTeachers(node) && _teacher.ReadsOf(node).Any(name => _differing.Contains(name) || (_teacher.Initializers.TryGetValue(name, out Initializer? own) && !ReferenceEquals(own, Student.Initializers[name]))))
                _differing.UnionWith(node.Outputs);
            foreach (string name in _teacher.ReadsOf(node))
                _readers[name]--;
        }
        string[] kept = [.. nodes.SelectMany(n => n.Outputs).Where(name => _readers.GetValueOrDefault(name) > 0)];
        string[] consumed = [.. _teacherValues.Keys.Where(name => _readers[name] == 0)];
        foreach (string name in kept)
        {
            _teacherValues[name] = new StoredActivation[Batches];
            _studentValues[name] = _differing.Contains(name) ? new StoredActivation[Batches] : _teacherValues[name];
        }
        using INodeEvaluator student = _foreign.Evaluate(Student, _backend);
        for (int b = 0; b < Batches; b++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Step(nodes, b, student, [.. (firstOutputs ?? []).Select(outputs => outputs[b].Load())]);
            foreach (StoredActivation[] outputs in firstOutputs ?? [])
                outputs[b].Release();
            foreach (string name in consumed)
            {
                _teacherValues[name][b].Release();
                _studentValues[name][b].Release();
            }
        }
        foreach (string name in consumed)
        {
            _teacherValues.Remove(name);
            _studentValues.Remove(name);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _evaluator.Dispose();

    private void Step(IReadOnlyList<Node> nodes, int batch, INodeEvaluator studentEvaluator, Activation[] firstOutputs)
    {
        Dictionary<string, Activation> first = firstOutputs.Zip(nodes).ToDictionary(p => p.Second.Output, p => p.First, StringComparer.Ordinal);
        Node[] ahead = [.. nodes.Skip(firstOutputs.Length)], differing = [.. nodes.Where(n => _differing.Contains(n.Output))];
        HashSet<string> shared = [.. differing.SelectMany(_teacher.ReadsOf).Where(name => !_differing.Contains(name))];
        var loaded = new Dictionary<StoredActivation, Activation>(ReferenceEqualityComparer.Instance);
        Activation Loaded(StoredActivation stored) => loaded.TryGetValue(stored, out Activation? value) ? value : loaded[stored] = stored.Load();
        Activation Known(string name) => first.TryGetValue(name, out Activation? output) ? output : Loaded(_teacherValues[name][batch]);
        IReadOnlyDictionary<string, Activation> teacher = _evaluator.Evaluate(ahead, Known, name => IsWanted(name) || shared.Contains(name));
        FiniteValues.Require(teacher.Values, "the teacher", _evaluator, ahead, Known);
        Activation Expected(string name) => teacher.TryGetValue(name, out Activation? own) ? own : Known(name);
        Activation Actual(string name) => _differing.Contains(name) ? Loaded(_studentValues[name][batch]) : Expected(name);
        IReadOnlyDictionary<string, Activation> student = studentEvaluator.Evaluate(differing, Actual, IsWanted);
        FiniteValues.Require(student.Values, "the network as far as it is compressed", studentEvaluator, differing, Actual);
        foreach (string name in nodes.SelectMany(n => n.Outputs).Where(_teacherValues.ContainsKey))
        {
            _teacherValues[name][batch] = _store.Add(Expected(name));
            _studentValues[name][batch] = _differing.Contains(name) ? _store.Add(student[name]) : _teacherValues[name][batch];
        }
    }

    /// <summary>Whether a value is read later on, or is what a network gives.</summary>
    private bool IsWanted(string name) => _teacherValues.ContainsKey(name) || _teacher.Outputs.Any(o => o.Name == name);
}
