using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Compression;

/// <summary>
/// Runs teacher and student side by side, one node at a time, over all images, and keeps only the activations that later nodes still read: the
/// frontier. So every layer sees the student's own activations (paper, section 3.3) and the whole costs one pass of each network.
/// </summary>
/// <remarks>Until a weight differs the two share their activations.</remarks>
internal sealed class TwinFrontier
{
    private readonly ModelGraph _teacher;
    private readonly NodeEvaluator _evaluator;
    private readonly WorkerPool _pool;
    private readonly Dictionary<string, int> _readers;
    private readonly Dictionary<string, Activation[]> _teacherValues = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Activation[]> _studentValues = new(StringComparer.Ordinal);

    /// <summary>Starts at the images.</summary>
    public TwinFrontier(ModelGraph teacher, Activation[] images, WorkerPool pool)
    {
        (_teacher, _pool, _evaluator) = (teacher, pool, new(teacher, pool));
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
    public bool Differs(string name) => _studentValues.TryGetValue(name, out Activation[]? value) && !ReferenceEquals(value, _teacherValues[name]);

    /// <summary>The teacher's output of a node whose inputs lie on the frontier.</summary>
    public Activation TeacherOutput(Node node, int batch) => _evaluator.Evaluate(node, name => _teacherValues[name][batch]);

    /// <summary>Moves both networks past a node.</summary>
    /// <param name="node">The next node in order.</param>
    /// <param name="teacherOutputs">The teacher's outputs where they have been worked out already.</param>
    public void Advance(Node node, Activation[]? teacherOutputs = null)
    {
        bool differs = node.Inputs.Any(name => _teacher.Initializers.TryGetValue(name, out Initializer? own)
            ? !ReferenceEquals(own, Student.Initializers[name])
            : !ReferenceEquals(_teacherValues[name], _studentValues[name]));
        Activation[] batches = _studentValues[node.Inputs.First(_studentValues.ContainsKey)];
        Activation[] teacher = teacherOutputs ?? [.. Enumerable.Range(0, batches.Length).Select(b => TeacherOutput(node, b))];
        _teacherValues[node.Output] = _studentValues[node.Output] = teacher;
        if (differs)
        {
            var evaluator = new NodeEvaluator(Student, _pool);
            _studentValues[node.Output] = [.. Enumerable.Range(0, batches.Length).Select(b => evaluator.Evaluate(node, name => _studentValues[name][b]))];
        }
        foreach (string name in node.Inputs.Distinct())
            if (--_readers[name] == 0)
            {
                _teacherValues.Remove(name);
                _studentValues.Remove(name);
            }
    }
}
