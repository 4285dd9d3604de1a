using System.Collections.Immutable;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLNet.PQCompression.Scoring;

namespace MLNet.PQCompression.Columns;

/// <summary>The columns that scoring adds: vectors, one or more, and the predicted label where the network names classes.</summary>
/// <param name="Vectors">The names of the vectors.</param>
/// <param name="LabelName">The name of the predicted label, or null.</param>
internal sealed record OutputColumns(ImmutableArray<string> Vectors, string? LabelName)
{
    private const string KeyValues = "KeyValues", SlotNames = "SlotNames", TrainingLabelValues = "TrainingLabelValues";
    private const string ScoreColumnKind = "ScoreColumnKind", ScoreValueKind = "ScoreValueKind", Multiclass = "MulticlassClassification";

    /// <summary>A schema with the columns behind those of the input.</summary>
    public DataViewSchema AddTo(DataViewSchema input, ScoringModel model)
    {
        var schema = new DataViewSchema.Builder();
        schema.AddColumns(input);
        if (LabelName is null)
            for (int i = 0; i < Vectors.Length; i++)
                schema.AddColumn(Vectors[i], new VectorDataViewType(NumberDataViewType.Single, model.Outputs.Lengths[i]));
        else
            AddClasses(schema, model.ClassNames);
        return schema.ToSchema();
    }

    /// <summary>A schema shape with the columns in place of those of the same name.</summary>
    public SchemaShape AddTo(SchemaShape input) => LabelName is null ? Vectors.Aggregate(input, AddVector) : AddClasses(input);

    private void AddClasses(DataViewSchema.Builder schema, ImmutableArray<string> classNames)
    {
        var names = new VBuffer<ReadOnlyMemory<char>>(classNames.Length, [.. classNames.Select(n => n.AsMemory())]);
        var namesType = new VectorDataViewType(TextDataViewType.Instance, classNames.Length);
        void GetNames(ref VBuffer<ReadOnlyMemory<char>> value) => names.CopyTo(ref value);

        var scoreAnnotations = new DataViewSchema.Annotations.Builder();
        scoreAnnotations.Add<VBuffer<ReadOnlyMemory<char>>>(SlotNames, namesType, GetNames);
        scoreAnnotations.Add<VBuffer<ReadOnlyMemory<char>>>(TrainingLabelValues, namesType, GetNames);
        AddKinds(scoreAnnotations, "Score");
        var labelAnnotations = new DataViewSchema.Annotations.Builder();
        labelAnnotations.Add<VBuffer<ReadOnlyMemory<char>>>(KeyValues, namesType, GetNames);
        AddKinds(labelAnnotations, "PredictedLabel");
        schema.AddColumn(Vectors.Single(), new VectorDataViewType(NumberDataViewType.Single, classNames.Length), scoreAnnotations.ToAnnotations());
        schema.AddColumn(LabelName!, new KeyDataViewType(typeof(uint), classNames.Length), labelAnnotations.ToAnnotations());
    }

    // The constructor of SchemaShape.Column is not public; a custom mapping that has the columns, and their annotations, gives their shape.
    private SchemaShape AddClasses(SchemaShape input)
    {
        var names = new VBuffer<ReadOnlyMemory<char>>(2, ["0".AsMemory(), "1".AsMemory()]);
        var namesType = new VectorDataViewType(TextDataViewType.Instance, 2);
        SchemaDefinition definition = SchemaDefinition.Create(typeof(ClassColumns));
        SchemaDefinition.Column score = definition[nameof(ClassColumns.Score)], label = definition[nameof(ClassColumns.Label)];
        score.ColumnType = new VectorDataViewType(NumberDataViewType.Single, 2);
        score.AddAnnotation(SlotNames, names, namesType);
        score.AddAnnotation(TrainingLabelValues, names, namesType);
        label.ColumnType = new KeyDataViewType(typeof(uint), 2);
        label.AddAnnotation(KeyValues, names, namesType);
        foreach (SchemaDefinition.Column column in definition)
        {
            column.AddAnnotation(ScoreColumnKind, Multiclass.AsMemory(), TextDataViewType.Instance);
            column.AddAnnotation(ScoreValueKind, (column == score ? "Score" : "PredictedLabel").AsMemory(), TextDataViewType.Instance);
        }
        score.ColumnName = Vectors.Single();
        label.ColumnName = LabelName;
        return ShapeOf<ClassColumns>(definition, input);
    }

    private static SchemaShape AddVector(SchemaShape input, string name)
    {
        SchemaDefinition definition = SchemaDefinition.Create(typeof(VectorColumn));
        definition[nameof(VectorColumn.Values)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, 2);
        definition[nameof(VectorColumn.Values)].ColumnName = name;
        return ShapeOf<VectorColumn>(definition, input);
    }

    private static SchemaShape ShapeOf<T>(SchemaDefinition definition, SchemaShape input) where T : class, new() =>
        new MLContext().Transforms.CustomMapping<NoColumns, T>(static (_, _) => { }, null, null, definition).GetOutputSchema(input);

    private static void AddKinds(DataViewSchema.Annotations.Builder annotations, string valueKind)
    {
        annotations.Add(ScoreColumnKind, TextDataViewType.Instance, (ref ReadOnlyMemory<char> value) => value = Multiclass.AsMemory());
        annotations.Add(ScoreValueKind, TextDataViewType.Instance, (ref ReadOnlyMemory<char> value) => value = valueKind.AsMemory());
    }

    private sealed class ClassColumns
    {
        public VBuffer<float> Score { get; set; }

        public uint Label { get; set; }
    }

    private sealed class VectorColumn
    {
        public VBuffer<float> Values { get; set; }
    }
}
